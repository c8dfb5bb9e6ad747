// Proxy cache projects, whose upstream is an imitation of Docker Hub in front of another Entrepôt.
import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type DockerHub, startDockerHub } from '../support/docker-hub.ts'
import { ADMIN_PASSWORD, type Server, startServer } from '../support/server.ts'
import { type Client, clientOf, digest, INDEX, indexOf, MANIFEST, pushBlob, pushImage } from './client.ts'
import { basic, type Harbor, harborOf, makeUser, numberOf, PASSWORD } from './management.ts'

let server: Server
let other: Server
let hub: DockerHub
let origin: Client
let admin: Harbor
let http: Client
let anonymous: Client
let registryId: number
let count = 0
const mends: (() => void)[] = []
beforeAll(async () => {
  other = await startServer()
  origin = clientOf(other.url)
  hub = await startDockerHub({ origin: other.url, limit: 10_000 })
  server = await startServer({ open: false, args: ['--upstream-private-networks', '127.0.0.0/8'] })
  admin = harborOf(server.url, 'admin')
  http = clientOf(server.url, basic('admin', ADMIN_PASSWORD))
  anonymous = clientOf(server.url)
  await makeUser(admin, 'alice')
  registryId = numberOf(await admin('POST', '/registries', { name: 'hub', type: 'docker-hub', url: hub.url }))
})
afterAll(async () => {
  for (const each of [server, other, hub]) await each.stop()
})
beforeEach(() => {
  hub.log.length = 0
  hub.remaining = 10_000
  count += 1
})
afterEach(() => {
  for (const mend of mends.splice(0)) mend()
})

const broken = (...fault: Parameters<DockerHub['break']>) => {
  const mend = hub.break(...fault)
  mends.push(mend)
  return mend
}
/** A fresh cache: nothing of another test is in it. */
async function cache(metadata: Record<string, string> = {}): Promise<string> {
  const name = `cache-${count}-${randomBytes(3).toString('hex')}`
  const made = await admin('POST', '/projects', {
    project_name: name,
    registry_id: registryId,
    metadata: { public: 'true', proxy_fresh_seconds: '0', ...metadata },
  })
  expect([made.status, made.message]).toEqual([201, ''])
  return name
}
/** An image upstream that no other test has. */
const image = (reference = 'v1', repository = `library/app${count}`) =>
  pushImage(origin, repository, reference, { layer: randomBytes(2000).toString('hex') })
const pull = (name: string, what: string, more = {}) => anonymous('GET', `/v2/${name}/${what}`, more)
const gets = () => [...hub.fetched().values()].reduce((sum, each) => sum + each, 0)

test('a pull fetches what is not there, byte for byte, and a second one asks for nothing but the tag', async () => {
  const name = await cache({ proxy_fresh_seconds: '3600' })
  const { digest: wanted, bytes, layer } = await image()
  const first = await pull(`${name}/library/app${count}`, 'manifests/v1')
  expect([first.status, first.body.toString(), first.headers['docker-content-digest']]).toEqual([
    200,
    bytes,
    wanted,
  ])
  expect(first.headers['content-type']).toBe(MANIFEST)
  const blob = await pull(`${name}/library/app${count}`, `blobs/${layer}`)
  expect([blob.status, digest(blob.body)]).toEqual([200, layer])
  const before = hub.log.length
  for (const what of ['manifests/v1', `manifests/${wanted}`, `blobs/${layer}`])
    expect((await pull(`${name}/library/app${count}`, what)).status).toBe(200)
  expect(hub.log.length).toBe(before)
  expect(gets()).toBe(2)
})

test('the short name of an official image is the same image', async () => {
  const name = await cache()
  const { bytes, layer } = await image()
  const short = await pull(`${name}/app${count}`, 'manifests/v1')
  expect(short.body.toString()).toBe(bytes)
  expect((await pull(`${name}/library/app${count}`, 'manifests/v1')).body.toString()).toBe(bytes)
  for (const where of [`${name}/app${count}`, `${name}/library/app${count}`])
    expect(digest((await pull(where, `blobs/${layer}`)).body)).toBe(layer)
  expect([...hub.fetched().values()].every((each) => each === 1)).toBe(true)
  const { json } = await admin('GET', `/projects/${name}/repositories`)
  expect(json.map((each: { name: string }) => each.name)).toEqual([`${name}/library/app${count}`])
})

test('a tag is compared with its upstream once in its window', async () => {
  const name = await cache({ proxy_fresh_seconds: '3600' })
  const old = await image()
  const where = `${name}/library/app${count}`
  await pull(where, 'manifests/v1')
  const { digest: fresh } = await image()
  expect((await pull(where, 'manifests/v1')).headers['docker-content-digest']).toBe(old.digest)
  await admin('PUT', `/projects/${name}`, { metadata: { proxy_fresh_seconds: '0' } })
  const another = await cache()
  expect((await pull(`${another}/app${count}`, 'manifests/v1')).headers['docker-content-digest']).toBe(fresh)
  const third = await image()
  expect((await pull(`${another}/app${count}`, 'manifests/v1')).headers['docker-content-digest']).toBe(
    third.digest,
  )
})

test('local-first serves what is there, whatever the upstream has by now', async () => {
  const name = await cache({ proxy_local_first: 'true' })
  const { digest: first } = await image()
  await pull(`${name}/app${count}`, 'manifests/v1')
  await image()
  hub.log.length = 0
  expect((await pull(`${name}/app${count}`, 'manifests/v1')).headers['docker-content-digest']).toBe(first)
  expect(hub.log).toEqual([])
})

test('an immutable tag stays what it was when it was cached', async () => {
  const name = await cache()
  const { digest: first } = await image()
  await pull(`${name}/app${count}`, 'manifests/v1')
  const selector = { kind: 'doublestar', decoration: 'matches', pattern: 'v*' }
  const repositories = [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }]
  const rule = {
    action: 'immutable',
    template: 'immutable_template',
    tag_selectors: [selector],
    scope_selectors: { repository: repositories },
  }
  expect((await admin('POST', `/projects/${name}/immutabletagrules`, rule)).status).toBe(201)
  await image()
  const again = await pull(`${name}/app${count}`, 'manifests/v1')
  expect([again.status, again.headers['docker-content-digest']]).toEqual([200, first])
})

test('HEAD tells what GET would', async () => {
  const name = await cache()
  const { digest: wanted, bytes, layer } = await image()
  const where = `/v2/${name}/library/app${count}`
  const manifest = await anonymous('HEAD', `${where}/manifests/v1`)
  expect([manifest.status, manifest.headers['docker-content-digest']]).toEqual([200, wanted])
  expect(manifest.headers['content-length']).toBe(String(bytes.length))
  const blob = await anonymous('HEAD', `${where}/blobs/${layer}`)
  expect([blob.status, blob.headers['content-length']]).toEqual([200, '4000'])
  expect(gets()).toBe(1)
})

test('an index keeps its digest though only one of its platforms was ever pulled', async () => {
  const name = await cache()
  const children = [await image('amd64'), await image('arm64')]
  const index = indexOf(children.map((each) => ({ digest: each.digest, size: each.bytes.length })))
  const put = await origin('PUT', `/v2/library/app${count}/manifests/multi`, {
    headers: { 'content-type': INDEX },
    body: index,
  })
  expect(put.status).toBe(201)
  const where = `${name}/library/app${count}`
  const got = await pull(where, 'manifests/multi')
  expect([got.body.toString(), got.headers['docker-content-digest']]).toEqual([index, digest(index)])
  expect((await pull(where, `manifests/${children[0]!.digest}`)).status).toBe(200)
  broken(/./, { kind: 'status', status: 503 })
  expect((await pull(where, `manifests/${digest(index)}`)).body.toString()).toBe(index)
  const late = await pull(where, `manifests/${children[1]!.digest}`)
  expect([late.status, late.message]).toEqual([502, expect.stringContaining('answered 503')])
})

test('referrers come byte for byte, also when the upstream is gone, and can be pulled', async () => {
  const name = await cache({ proxy_fresh_seconds: '3600' })
  const { digest: subject } = await image()
  const signature = await pushImage(origin, `library/app${count}`, '', {
    subject,
    artifactType: 'application/x.signature',
  })
  const there = await origin('GET', `/v2/library/app${count}/referrers/${subject}`)
  const where = `${name}/library/app${count}`
  await pull(where, 'manifests/v1')
  const here = await pull(where, `referrers/${subject}`)
  expect([here.status, here.body.toString()]).toEqual([200, there.body.toString()])
  const filtered = await pull(where, `referrers/${subject}?artifactType=application/x.other`)
  expect(JSON.parse(filtered.body.toString()).manifests).toEqual([])
  expect(filtered.headers['oci-filters-applied']).toBe('artifactType')
  expect((await pull(where, `manifests/${signature.digest}`)).body.toString()).toBe(signature.bytes)
  broken(/./, { kind: 'status', status: 500 })
  expect((await pull(where, `referrers/${subject}`)).body.toString()).toBe(there.body.toString())
})

test('tags are those of the upstream, and those that are here while it is away', async () => {
  const name = await cache()
  await image('v1')
  await image('v2')
  const where = `${name}/library/app${count}`
  await pull(where, 'manifests/v2')
  expect(JSON.parse((await pull(where, 'tags/list')).body.toString()).tags).toEqual(['v1', 'v2'])
  const page = await pull(where, 'tags/list?n=1')
  expect(page.headers.link).toBe(`</v2/${where}/tags/list?n=1&last=v1>; rel="next"`)
  broken(/./, { kind: 'status', status: 500 })
  const away = await pull(where, 'tags/list')
  expect([JSON.parse(away.body.toString()).tags, away.headers['x-entrepot-stale']]).toEqual([['v2'], 'true'])
})

test.each([
  ['404', { kind: 'status', status: 404 }],
  ['401', { kind: 'status', status: 401 }],
  ['429', { kind: 'status', status: 429, headers: { 'retry-after': '30' } }],
  ['500', { kind: 'status', status: 500 }],
  ['a page of HTML', { kind: 'status', status: 200, body: '<html>' }],
] as const)('what is cached is served, and marked, while the upstream answers %s', async (_what, fault) => {
  const name = await cache()
  const { bytes, layer } = await image()
  const where = `${name}/library/app${count}`
  await pull(where, 'manifests/v1')
  await pull(where, `blobs/${layer}`)
  broken(/\/manifests\//, fault)
  for (let again = 0; again < 2; again++) {
    const answer = await pull(where, 'manifests/v1')
    expect([answer.status, answer.body.toString()]).toEqual([200, bytes])
    expect(answer.headers.warning).toMatch(/^299 - "served from the cache: .+"$/)
  }
  expect((await pull(where, `blobs/${layer}`)).headers.warning).toBeUndefined()
})

test('an upstream that says nothing hides nothing, and keeps nobody waiting again', async () => {
  const name = await cache()
  const { bytes } = await image()
  await pull(`${name}/app${count}`, 'manifests/v1')
  broken(/\/manifests\//, { kind: 'silence' })
  hub.log.length = 0
  for (let again = 0; again < 3; again++) {
    const answer = await pull(`${name}/app${count}`, 'manifests/v1')
    expect([answer.body.toString(), answer.headers['x-entrepot-stale']]).toEqual([bytes, 'true'])
  }
  const nothing = await pull(`${name}/nothing${count}`, 'manifests/v1')
  expect([nothing.status, nothing.message]).toEqual([504, expect.stringContaining('gave no answer for 10 s')])
})

test('while an upstream fails it is not asked again at each pull', async () => {
  const name = await cache()
  await image()
  await pull(`${name}/app${count}`, 'manifests/v1')
  broken(/\/manifests\//, { kind: 'status', status: 429, headers: { 'retry-after': '30' } })
  hub.log.length = 0
  for (let again = 0; again < 5; again++) await pull(`${name}/app${count}`, 'manifests/v1')
  expect(hub.log.filter(({ at }) => at === 'registry')).toHaveLength(1)
})

test.each([
  [404, 404, 'MANIFEST_UNKNOWN', undefined],
  [429, 429, 'TOOMANYREQUESTS', '7'],
  [403, 403, 'DENIED', undefined],
  [500, 502, 'UNAVAILABLE', undefined],
])('what is not cached fails with the upstream’s %d and its words', async (there, here, code, retry) => {
  const name = await cache()
  const headers = retry === undefined ? {} : { 'retry-after': retry }
  broken(/\/manifests\//, { kind: 'status', status: there, headers })
  const answer = await pull(`${name}/app`, 'manifests/v1')
  expect([answer.status, answer.code, answer.headers['retry-after']]).toEqual([here, code, retry])
  if (there !== 404) expect(answer.message).toMatch(new RegExp(`upstream: \\S+ answered ${there}`))
})

test.each(['altered', 'short', 'endless', 'cut'] as const)(
  'a blob that comes %s is never whole here, and nothing of it is kept',
  async (kind) => {
    const name = await cache()
    const { layer } = await image()
    const where = `${name}/library/app${count}`
    await pull(where, 'manifests/v1')
    const mend = broken(new RegExp(`/blobs/${layer}`), { kind })
    const got = await pull(where, `blobs/${layer}`).catch((error: Error) => error)
    if (!(got instanceof Error)) expect(got.status).toBeGreaterThanOrEqual(500)
    mend()
    await expect
      .poll(async () => {
        const right = await pull(where, `blobs/${layer}`)
        return right.status === 200 && digest(right.body)
      })
      .toBe(layer)
  },
)

test.each(['altered', 'short', 'endless'] as const)('a manifest that comes %s is none', async (kind) => {
  const name = await cache()
  const { digest: wanted, bytes } = await image()
  const where = `${name}/library/app${count}`
  const mend = broken(/\/manifests\//, { kind })
  for (const what of ['manifests/v1', `manifests/${wanted}`])
    expect((await pull(where, what)).status).toBe(502)
  mend()
  await expect.poll(async () => (await pull(where, 'manifests/v1')).body.toString()).toBe(bytes)
})

test('clients that come while a blob is on its way get it from the one that fetches it', async () => {
  const name = await cache()
  const big = randomBytes(3_000_000)
  const layer = await pushBlob(origin, `library/app${count}`, big)
  await image()
  const where = `${name}/library/app${count}`
  await pull(where, 'manifests/v1')
  const until = Promise.withResolvers<void>()
  broken(new RegExp(`/blobs/${layer}`), { kind: 'slow', until: until.promise })
  const pulls = Array.from({ length: 20 }, () => pull(where, `blobs/${layer}`))
  until.resolve()
  const answers = await Promise.all(pulls)
  expect(answers.map(({ body }) => digest(body))).toEqual(Array(20).fill(layer))
  expect(hub.fetched().get(`/v2/${where.slice(name.length + 1)}/blobs/${layer}`)).toBe(1)
  const part = await pull(where, `blobs/${layer}`, { headers: { range: 'bytes=10-19' } })
  expect([part.status, part.body.equals(big.subarray(10, 20))]).toEqual([206, true])
})

test('a part of a blob that is not here waits for the whole', async () => {
  const name = await cache()
  const { layer } = await image()
  const part = await pull(`${name}/app${count}`, `blobs/${layer}`, { headers: { range: 'bytes=0-4' } })
  expect([part.status, part.headers['content-range']]).toEqual([206, 'bytes 0-4/4000'])
})

test('a token of the upstream that ends in the middle is none of the client’s business', async () => {
  const name = await cache()
  const { layer } = await image()
  await pull(`${name}/app${count}`, 'manifests/v1')
  hub.expireTokens()
  expect((await pull(`${name}/app${count}`, `blobs/${layer}`)).status).toBe(200)
})

test('nobody pushes to a cache, and is told so in Harbor’s words', async () => {
  const name = await cache()
  const words = `can not push artifact to a proxy project: ${name}`
  const upload = await http('POST', `/v2/${name}/library/app/blobs/uploads/`)
  expect([upload.status, upload.code, upload.message]).toEqual([
    403,
    'DENIED',
    expect.stringContaining(words),
  ])
  const put = await http('PUT', `/v2/${name}/library/app/manifests/v1`, {
    headers: { 'content-type': MANIFEST },
    body: JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config: {}, layers: [] }),
  })
  expect([put.status, put.message]).toEqual([403, expect.stringContaining(words)])
})

test('a private cache is pulled from by its members alone', async () => {
  const name = await cache({ public: 'false' })
  await image()
  expect((await pull(`${name}/app${count}`, 'manifests/v1')).status).toBe(401)
  const alice = clientOf(server.url, basic('alice', PASSWORD))
  expect((await alice('GET', `/v2/${name}/app${count}/manifests/v1`)).status).toBe(403)
  await admin('POST', `/projects/${name}/members`, { role_id: 3, member_user: { username: 'alice' } })
  expect((await alice('GET', `/v2/${name}/app${count}/manifests/v1`)).status).toBe(200)
})

test('patterns say what may be fetched', async () => {
  const name = await cache({
    proxy_cache_filter_pattern: 'library/*,{one,two}/**',
    proxy_cache_deny_pattern: 'library/secret*',
  })
  for (const repository of ['library/app', 'one/a/b', 'two/c']) await image('v1', repository)
  for (const repository of ['library/secrets', 'three/app']) await image('v1', repository)
  for (const repository of ['app', 'library/app', 'one/a/b', 'two/c'])
    expect((await pull(`${name}/${repository}`, 'manifests/v1')).status, repository).toBe(200)
  for (const repository of ['secrets', 'library/secrets', 'three/app']) {
    const { status, message } = await pull(`${name}/${repository}`, 'manifests/v1')
    expect([status, message], repository).toEqual([
      404,
      expect.stringContaining('does not match the patterns'),
    ])
  }
})

test('only administrators make caches, of registries that exist; what it caches is told and stays', async () => {
  const alice = harborOf(server.url, 'alice')
  const body = (name: string, id = registryId) => ({ project_name: name, registry_id: id })
  const refused = await alice('POST', '/projects', body('of-alice'))
  expect([refused.status, refused.message]).toEqual([403, 'Only system admin can create proxy cache project'])
  const nothing = await admin('POST', '/projects', body('of-nothing', 999_999))
  expect([nothing.status, nothing.message]).toEqual([400, 'registry 999999 not found'])
  const name = await cache()
  expect((await admin('GET', `/projects/${name}`)).json.registry_id).toBe(registryId)
  expect((await admin('PUT', `/projects/${name}`, { registry_id: 0, metadata: {} })).status).toBe(200)
  expect((await admin('GET', `/projects/${name}`)).json.registry_id).toBe(registryId)
  const inUse = await admin('DELETE', `/registries/${registryId}`)
  expect([inUse.status, inUse.message]).toEqual([
    412,
    `the registry ${registryId} is referenced by proxy cache project, cannot delete it`,
  ])
})

test('a registry is free again when its cache is gone', async () => {
  const id = numberOf(
    await admin('POST', '/registries', { name: `r${count}`, type: 'harbor', url: other.url }),
  )
  const project = { project_name: `p${count}`, registry_id: id }
  await admin('POST', '/projects', project)
  expect((await admin('DELETE', `/registries/${id}`)).status).toBe(412)
  expect((await admin('DELETE', `/projects/p${count}`)).status).toBe(200)
  expect((await admin('DELETE', `/registries/${id}`)).status).toBe(200)
})

test('what is cached is an artifact like any other: listed, counted, deleted', async () => {
  const name = await cache()
  const { digest: wanted, layer } = await image()
  await pull(`${name}/app${count}`, 'manifests/v1')
  await pull(`${name}/app${count}`, `blobs/${layer}`)
  const where = `/projects/${name}/repositories/library%252Fapp${count}/artifacts`
  await expect
    .poll(async () => (await admin('GET', where)).json.map((each: { digest: string }) => each.digest))
    .toEqual([wanted])
  const { json } = await admin('GET', `/projects/${name}/summary`)
  expect(json.quota.used.storage).toBeGreaterThan(4000)
  expect((await admin('DELETE', `${where}/v1`)).status).toBe(200)
  expect((await pull(`${name}/app${count}`, 'manifests/v1')).status).toBe(200)
})

test('a mirror client that names the registry needs no prefix', async () => {
  const name = await cache()
  await admin('PUT', '/configurations', { proxy_mirrors: `docker.io=${name}` })
  const { bytes, layer } = await image()
  const ask = (path: string, ns: string) => anonymous('GET', `/v2/library/app${count}/${path}?ns=${ns}`)
  await expect.poll(async () => (await ask('manifests/v1', 'docker.io')).body.toString()).toBe(bytes)
  expect(digest((await ask(`blobs/${layer}`, 'docker.io')).body)).toBe(layer)
  const strange = await ask('manifests/v1', 'quay.io')
  expect([strange.status, strange.message]).toEqual([404, 'this registry mirrors others, and not quay.io'])
  await admin('PUT', '/configurations', { proxy_mirrors: '' })
})

test('a mirror client that names none gets what is here, then what the default mirror has', async () => {
  const name = await cache()
  await admin('PUT', '/configurations', { proxy_mirrors: `*=${name}` })
  const { bytes } = await image()
  const here = await pushImage(http, `library/here${count}`, 'v1')
  await image('v1', `library/here${count}`)
  const ask = (client: Client, repository: string) => client('GET', `/v2/library/${repository}/manifests/v1`)
  await expect.poll(async () => (await ask(anonymous, `app${count}`)).body.toString()).toBe(bytes)
  expect((await ask(http, `here${count}`)).body.toString()).toBe(here.bytes)
  // Docker comes with a token for the name that it knows, which says nothing of the mirror.
  const { body } = await anonymous('GET', `/service/token?scope=repository:library/app${count}:pull`)
  const docker = clientOf(server.url, `Bearer ${JSON.parse(body.toString()).token}`)
  expect((await ask(docker, `app${count}`)).body.toString()).toBe(bytes)
  const nothing = await ask(http, 'nothing-like-it')
  expect([nothing.status, nothing.code]).toEqual([404, 'NAME_UNKNOWN'])
  await admin('PUT', '/configurations', { proxy_mirrors: '' })
})

test('nobody gets a stranger’s image for one that is private here', async () => {
  const name = await cache()
  await admin('POST', '/projects', { project_name: `own${count}` })
  await admin('PUT', '/configurations', { proxy_mirrors: `*=${name}` })
  await pushImage(http, `own${count}/app`, 'v1')
  await image('v1', `own${count}/app`)
  await image('v1', `own${count}/other`)
  for (const repository of ['app', 'other'])
    expect((await anonymous('GET', `/v2/own${count}/${repository}/manifests/v1`)).status).toBe(401)
  expect((await http('GET', `/v2/own${count}/other/manifests/v1`)).status).toBe(404)
  await admin('PUT', '/configurations', { proxy_mirrors: '' })
})

test.each(['docker.io', 'docker.io=', '=x', 'a=b=c', 'a b=c', 'a=B'])(
  '%j says nothing of mirrors',
  async (proxy_mirrors) => {
    expect((await admin('PUT', '/configurations', { proxy_mirrors })).status).toBe(400)
  },
)
