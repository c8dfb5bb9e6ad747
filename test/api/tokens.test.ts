import { createPublicKey, verify } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ADMIN_PASSWORD, type Server, startServer } from '../support/server.ts'
import { type Client, clientOf, pushImage } from './client.ts'
import { basic as basicLogin, harborOf, makeProject, makeUser, PASSWORD } from './management.ts'

let server: Server
let http: Client
const basic = `Basic ${Buffer.from(`admin:${ADMIN_PASSWORD}`).toString('base64')}`
beforeAll(async () => {
  server = await startServer({ open: false })
  http = clientOf(server.url)
  await pushImage(clientOf(server.url, basic), 'library/app', 'v1')
})
afterAll(() => server.stop())

async function token(scope: string, authorization: string | undefined = basic): Promise<string> {
  const answer = await http('GET', `/service/token?service=entrepot&${scope}`, {
    headers: authorization ? { authorization } : {},
  })
  expect(answer.status).toBe(200)
  return JSON.parse(answer.body.toString()).token
}

const claims = (jwt: string) => JSON.parse(Buffer.from(jwt.split('.')[1]!, 'base64url').toString())
const bearer = (jwt: string) => ({ headers: { authorization: `Bearer ${jwt}` } })

test('without login the base asks for one, with the address of the token endpoint', async () => {
  const answer = await http('GET', '/v2/')
  expect([answer.status, answer.code]).toEqual([401, 'UNAUTHORIZED'])
  expect(answer.headers['www-authenticate']).toBe(
    `Bearer realm="${server.url}/service/token",service="entrepot"`,
  )
})

test('the challenge of a push names exactly the scope it needs', async () => {
  const answer = await http('POST', '/v2/library/app/blobs/uploads/')
  expect(answer.headers['www-authenticate']).toContain('scope="repository:library/app:pull,push"')
})

test('a token is an ES256 JWT that any library can check against the published key', async () => {
  const jwt = await token('scope=repository:library/app:pull,push')
  const [header, payload, signature] = jwt.split('.') as [string, string, string]
  const { kid, alg } = JSON.parse(Buffer.from(header, 'base64url').toString())
  expect(alg).toBe('ES256')
  const { keys } = JSON.parse((await http('GET', '/service/jwks.json')).body.toString())
  const key = createPublicKey({ key: keys.find((each: { kid: string }) => each.kid === kid), format: 'jwk' })
  const signed = Buffer.from(`${header}.${payload}`)
  expect(
    verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url')),
  ).toBe(true)
  const { access, exp, iat } = claims(jwt)
  expect(access).toEqual([
    { type: 'repository', name: 'library/app', actions: ['pull', 'push'], projectId: expect.any(String) },
  ])
  expect(exp - iat).toBe(1800)
})

test('several scopes, in one parameter or in several, end up in one token', async () => {
  const jwt = await token(
    'scope=repository:library/a:pull%20repository:library/b:push&scope=registry:catalog:*',
  )
  expect(claims(jwt).access.map((each: { name: string }) => each.name)).toEqual([
    'library/a',
    'library/b',
    'catalog',
  ])
  expect((await http('GET', '/v2/_catalog', bearer(jwt))).status).toBe(200)
})

test('without login public projects can be pulled from and refused scopes are there as empty', async () => {
  const jwt = await token('scope=repository:library/app:pull,push&scope=repository:secret/x:pull', '')
  expect(claims(jwt).access.map((each: { actions: string[] }) => each.actions)).toEqual([['pull'], []])
  expect((await http('GET', '/v2/library/app/manifests/v1')).status).toBe(200)
  expect((await http('GET', '/v2/library/app/manifests/v1', bearer(jwt))).status).toBe(200)
  const denied = await http('GET', '/v2/secret/x/manifests/v1', bearer(jwt))
  expect([denied.status, denied.code]).toEqual([403, 'DENIED'])
  for (const text of [
    'requested access to the resource is denied',
    'unauthorized to access repository: secret/x, action: pull',
    String(denied.headers['x-request-id']),
  ])
    expect(denied.message).toContain(text)
})

test('a token for one repository is not enough for another', async () => {
  const jwt = await token('scope=repository:library/app:pull,push')
  const answer = await http('POST', '/v2/library/other/blobs/uploads/', bearer(jwt))
  expect(answer.status).toBe(401)
  expect(answer.headers['www-authenticate']).toContain('error="insufficient_scope"')
})

test('forged, altered and unsigned tokens are refused', async () => {
  const jwt = await token('scope=repository:library/app:pull')
  const [header, payload, signature] = jwt.split('.') as [string, string, string]
  const more = Buffer.from(
    JSON.stringify({
      ...claims(jwt),
      access: [{ type: 'repository', name: 'library/app', actions: ['push', 'pull'] }],
    }),
  ).toString('base64url')
  const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')
  for (const forged of [
    `${header}.${more}.${signature}`,
    `${none}.${payload}.`,
    `${header}.${payload}.${signature.slice(0, -4)}AAAA`,
    'x',
    'a.b.c',
    '',
  ]) {
    const answer = await http('POST', '/v2/library/app/blobs/uploads/', bearer(forged))
    expect(answer.status).toBe(401)
  }
})

test('a wrong password is refused without saying whether the user exists, and a flood is slowed down', async () => {
  const wrong = (user: string) =>
    http('GET', '/service/token', {
      headers: { authorization: `Basic ${Buffer.from(`${user}:wrong`).toString('base64')}` },
    })
  const [known, unknown] = [await wrong('admin'), await wrong('nobody')]
  expect([known.status, known.code, known.message]).toEqual([unknown.status, unknown.code, unknown.message])
  let last = unknown
  for (let attempt = 0; attempt < 12; attempt++) last = await wrong('nobody')
  expect([last.status, last.code]).toEqual([429, 'TOOMANYREQUESTS'])
  expect(Number(last.headers['retry-after'])).toBeGreaterThan(0)
})

test('the OAuth2 form gives a refresh token, which gives access tokens', async () => {
  const post = (form: Record<string, string>) =>
    http('POST', '/service/token', {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form).toString(),
    })
  const first = await post({
    grant_type: 'password',
    username: 'admin',
    password: ADMIN_PASSWORD,
    access_type: 'offline',
    service: 'entrepot',
    client_id: 'test',
  })
  const { refresh_token } = JSON.parse(first.body.toString())
  const second = await post({
    grant_type: 'refresh_token',
    refresh_token,
    scope: 'repository:library/app:push,pull',
    service: 'entrepot',
  })
  const { access_token } = JSON.parse(second.body.toString())
  expect((await http('POST', '/v2/library/app/blobs/uploads/', bearer(access_token))).status).toBe(202)
  expect((await http('POST', '/v2/library/app/blobs/uploads/', bearer(refresh_token))).status).toBe(401)
  expect((await post({ grant_type: 'refresh_token', refresh_token: 'x' })).status).toBe(401)
})

test('scopes that break the grammar, or are far too many, are refused with 400', async () => {
  for (const scope of [
    'repository',
    'repository::pull',
    'a b:c',
    `repository:x:${'pull,'.repeat(2000)}`,
    Array.from({ length: 200 }, (_, n) => `repository:l/${n}:pull`).join(' '),
  ])
    expect((await http('GET', `/service/token?scope=${encodeURIComponent(scope)}`)).status).toBe(400)
})

test('Basic works on every endpoint, for scripts', async () => {
  const admin = clientOf(server.url, basic)
  expect((await admin('GET', '/v2/')).status).toBe(200)
  expect((await admin('POST', '/v2/library/basic/blobs/uploads/')).status).toBe(202)
})

test('a push to a project that does not exist says how to make it', async () => {
  const answer = await clientOf(server.url, basic)('POST', '/v2/nowhere/app/blobs/uploads/')
  expect([answer.status, answer.code]).toEqual([404, 'NAME_UNKNOWN'])
  expect(answer.message).toContain('entrepot project create nowhere')
})

test('a changed password stops pushes with older tokens at once, and their pulls within a token’s life', async () => {
  const own = await startServer({
    open: false,
    dataDir: await mkdtemp(path.join(tmpdir(), 'entrepot-revoked-')),
  })
  const ask = clientOf(own.url, basic)
  await pushImage(ask, 'library/app', 'v1')
  const scope = 'scope=repository:library/app:pull,push,delete'
  const { token: old } = JSON.parse((await ask('GET', `/service/token?${scope}`)).body.toString())
  // Tokens know seconds: the password must change in a later one than the token was made in.
  const issued = claims(old).iat
  await expect.poll(() => Math.floor(Date.now() / 1000)).toBeGreaterThan(issued)
  await own.stop()
  const env = { ENTREPOT_ADMIN_PASSWORD: 'another-password' }
  const changed = await startServer({ open: false, dataDir: own.dataDir, env })
  const again = clientOf(changed.url)
  for (const [method, path] of [
    ['POST', '/v2/library/app/blobs/uploads/'],
    ['DELETE', '/v2/library/app/manifests/v1'],
  ] as const)
    expect((await again(method, path, bearer(old))).headers['www-authenticate']).toContain(
      'error="invalid_token"',
    )
  expect((await again('GET', '/v2/library/app/manifests/v1', bearer(old))).status).toBe(200)
  await changed.stop()
  await rm(own.dataDir, { recursive: true })
})

test('an upload goes on after its bearer token has expired, because the session is the permission', async () => {
  const started = await http(
    'POST',
    '/v2/library/app/blobs/uploads/',
    bearer(await token('scope=repository:library/app:pull,push')),
  )
  expect(
    (
      await http('PATCH', started.headers.location!, {
        body: 'x',
        headers: { authorization: 'Bearer expired' },
      })
    ).status,
  ).toBe(202)
})

test('no token and no refusal tells a hidden project from one that is not there, robots’ neither', async () => {
  const admin = harborOf(server.url, 'admin')
  await makeProject(admin, 'hidden')
  await makeUser(admin, 'curious')
  const access = [{ resource: 'repository', action: 'pull' }]
  const { json: robot } = await admin('POST', '/robots', {
    name: 'curious',
    level: 'project',
    duration: 1,
    permissions: [{ kind: 'project', namespace: 'library', access }],
  })
  for (const login of [undefined, basicLogin('curious', PASSWORD), basicLogin(robot.name, robot.secret)]) {
    const seen = async (project: string) => {
      const jwt = await token(`scope=repository:${project}/app:pull,push`, login ?? '')
      const refused = await http('GET', `/v2/${project}/app/tags/list`, {
        headers: login ? { authorization: login } : {},
      })
      const words = refused.message.replace(/\(request .*\)/, '')
      return JSON.stringify([claims(jwt).access, refused.status, words]).replaceAll(project, '…')
    }
    expect(await seen('hidden')).toBe(await seen('absent'))
  }
})
