// Rules on immutable tags, and that they hold. Status codes and messages are Harbor's (goharbor/harbor v2.14:
// src/server/middleware/immutable, src/controller/tag, src/server/v2.0/handler/immutable.go).
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ADMIN_PASSWORD, type Server, startServer } from '../support/server.ts'
import { type Client, clientOf, MANIFEST, pushImage } from './client.ts'
import { basic, type Harbor, harborOf, makeProject, makeUser, numberOf } from './management.ts'

let server: Server
let admin: Harbor
let http: Client
const RULES = '/projects/port/immutabletagrules'

beforeAll(async () => {
  server = await startServer({ open: false })
  admin = harborOf(server.url, 'admin')
  http = clientOf(server.url, basic('admin', ADMIN_PASSWORD))
  await makeProject(admin, 'port')
})
afterAll(() => server.stop())

function rule(tags: string, more: object = {}) {
  return {
    action: 'immutable',
    template: 'immutable_template',
    priority: 0,
    disabled: false,
    scope_selectors: { repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**' }] },
    tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: tags }],
    ...more,
  }
}

/** Rules end with their test. */
async function withRule(body: object, run: (number: number) => Promise<void>): Promise<void> {
  const number = numberOf(await admin('POST', RULES, body))
  try {
    await run(number)
  } finally {
    await admin('DELETE', `${RULES}/${number}`)
  }
}

const artifacts = (name: string) => `/projects/port/repositories/${name}/artifacts`

/** Another manifest for a tag. */
async function push(name: string, tag: string, text: string) {
  const bytes = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: await emptyConfig(name),
    layers: [],
    annotations: { text },
  })
  const headers = { 'content-type': MANIFEST }
  const { status, body } = await http('PUT', `/v2/port/${name}/manifests/${tag}`, { headers, body: bytes })
  return { status, body: body.toString() }
}

async function emptyConfig(name: string) {
  const { config } = JSON.parse((await pushImage(http, `port/${name}`, 'base')).bytes.toString())
  return config
}

test('a rule is made, listed, changed and deleted, with Harbor’s fields', async () => {
  const answer = await admin('POST', RULES, rule('v*'))
  const number = numberOf(answer)
  expect(answer.headers.location).toBe(`/api/v2.0${RULES}/${number}`)
  const shown = {
    id: number,
    action: 'immutable',
    template: 'immutable_template',
    priority: 0,
    disabled: false,
    params: {},
    scope_selectors: {
      repository: [{ kind: 'doublestar', decoration: 'repoMatches', pattern: '**', extras: '' }],
    },
    tag_selectors: [{ kind: 'doublestar', decoration: 'matches', pattern: 'v*', extras: '' }],
  }
  const listed = await admin('GET', `${RULES}?page=1&page_size=15`)
  expect([listed.json, listed.headers['x-total-count']]).toEqual([[shown], '1'])
  const changed = { ...rule('release-*'), id: number, disabled: true }
  expect((await admin('PUT', `${RULES}/${number}`, changed)).status).toBe(200)
  expect((await admin('GET', RULES)).json).toEqual([
    { ...shown, disabled: true, tag_selectors: [{ ...shown.tag_selectors[0], pattern: 'release-*' }] },
  ])
  expect((await admin('DELETE', `${RULES}/${number}`)).status).toBe(200)
  expect((await admin('DELETE', `${RULES}/${number}`)).status).toBe(404)
  expect((await admin('PUT', `${RULES}/${number}`, changed)).status).toBe(404)
  expect((await admin('GET', RULES)).json).toEqual([])
})

test('a rule that cannot be meant is refused with 400, and one that is there with 409', async () => {
  const refused = async (body: unknown) => (await admin('POST', RULES, body)).status
  expect(await refused({})).toBe(400)
  expect(await refused(rule('v[', {}))).toBe(400)
  expect(await refused(rule(''))).toBe(400)
  expect(await refused(rule('v*', { template: '' }))).toBe(400)
  expect(await refused(rule('v*', { tag_selectors: [] }))).toBe(400)
  expect(
    await refused(rule('v*', { tag_selectors: [{ kind: 'regex', decoration: 'matches', pattern: 'v' }] })),
  ).toBe(400)
  expect(
    await refused(rule('v*', { tag_selectors: [{ kind: 'doublestar', decoration: 'like', pattern: 'v' }] })),
  ).toBe(400)
  expect(await refused(rule('v*', { scope_selectors: {} }))).toBe(400)
  expect(await refused(rule('v*', { tag_selectors: 'v*' }))).toBe(422)
  await withRule(rule('v*'), async (number) => {
    expect(await refused(rule('v*'))).toBe(409)
    expect((await admin('PUT', `${RULES}/${number}`, { ...rule('v*'), id: number + 1 })).status).toBe(400)
  })
})

test('a push does not move an immutable tag, and may repeat itself', async () => {
  await withRule(rule('v*'), async () => {
    expect((await push('moved', 'v1', 'first')).status).toBe(201)
    expect((await push('moved', 'v1', 'first')).status).toBe(201)
    const { status, body } = await push('moved', 'v1', 'second')
    expect([status, JSON.parse(body).errors[0]]).toEqual([
      412,
      {
        code: 'PRECONDITION',
        message: "Failed to process request due to 'moved:v1' configured as immutable.",
      },
    ])
    expect((await push('moved', 'latest', 'first')).status).toBe(201)
    expect((await push('moved', 'latest', 'second')).status).toBe(201)
  })
})

test('of two pushes that set the same new immutable tag at once, one is refused', async () => {
  await emptyConfig('raced')
  await withRule(rule('v*'), async () => {
    for (const tag of ['v1', 'v2', 'v3']) {
      const answers = await Promise.all(['one', 'other'].map((text) => push('raced', tag, text)))
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 412])
    }
  })
})

test('an immutable tag, its artifact and its repository are not deleted', async () => {
  await withRule(rule('v*'), async () => {
    await push('kept', 'v1', 'first')
    await push('kept', 'beta', 'other')
    const refused = async (path: string) => {
      const { status, json } = await admin('DELETE', path)
      return [status, json?.errors[0].message]
    }
    const why = [412, 'the tag v1 configured as immutable, cannot be deleted']
    expect(await refused(`${artifacts('kept')}/v1/tags/v1`)).toEqual(why)
    expect(await refused(`${artifacts('kept')}/v1`)).toEqual(why)
    expect(await refused('/projects/port/repositories/kept')).toEqual(why)
    expect((await http('DELETE', '/v2/port/kept/manifests/v1')).status).toBe(412)
    expect((await http('DELETE', '/v2/port/kept/manifests/none-such')).status).toBe(404)
    expect((await admin('DELETE', `${artifacts('kept')}/beta`)).status).toBe(200)
  })
  expect((await admin('DELETE', '/projects/port/repositories/kept')).status).toBe(200)
})

test('tags tell whether they are immutable', async () => {
  await push('told', 'v1', 'first')
  const flags = async () => {
    const { json } = await admin('GET', `${artifacts('told')}/v1?with_immutable_status=true`)
    const listed = await admin('GET', `${artifacts('told')}/v1/tags?with_immutable_status=true`)
    return [json.tags[0].immutable, listed.json[0].immutable]
  }
  expect(await flags()).toEqual([false, false])
  await withRule(rule('v*'), async () => expect(await flags()).toEqual([true, true]))
})

test('a rule is about the repositories and tags it selects, and not while it is disabled', async () => {
  const repository = (decoration: string, pattern: string) => ({
    scope_selectors: { repository: [{ kind: 'doublestar', decoration, pattern }] },
  })
  const status = async (body: object, name: string, tag: string) => {
    let seen = 0
    await withRule(body, async () => {
      await push(name, tag, 'first')
      seen = (await push(name, tag, `later ${JSON.stringify(body)}`)).status
    })
    return seen
  }
  expect(await status(rule('**', repository('repoMatches', 'apps/*')), 'apps/web', 'v1')).toBe(412)
  expect(await status(rule('**', repository('repoMatches', 'apps/*')), 'web', 'v1')).toBe(201)
  expect(await status(rule('**', repository('repoExcludes', 'apps/*')), 'apps/api', 'v1')).toBe(201)
  expect(await status(rule('**', repository('repoExcludes', '{apps,lab}/**')), 'shop', 'v1')).toBe(412)
  const butLatest = { tag_selectors: [{ kind: 'doublestar', decoration: 'excludes', pattern: 'latest' }] }
  expect(await status(rule('', butLatest), 'but', 'latest')).toBe(201)
  expect(await status(rule('', butLatest), 'but', 'v1')).toBe(412)
  expect(await status(rule('**', { disabled: true }), 'off', 'v1')).toBe(201)
})

test('copying an artifact does not move an immutable tag of the target', async () => {
  await push('from', 'v1', 'copied')
  await push('to', 'v1', 'stays')
  const copy = () => admin('POST', `${artifacts('to')}?from=port/from:v1`)
  await withRule(rule('v1'), async () => expect((await copy()).status).toBe(412))
  expect((await copy()).status).toBe(201)
})

test('rules are kept by maintainers; developers do not see them, and nobody without a login', async () => {
  for (const [name, role] of [
    ['keeper', 4],
    ['builder', 2],
  ] as const) {
    await makeUser(admin, name)
    await admin('POST', '/projects/port/members', { role_id: role, member_user: { username: name } })
  }
  const [keeper, builder] = [harborOf(server.url, 'keeper'), harborOf(server.url, 'builder')]
  const number = numberOf(await keeper('POST', RULES, rule('k*')))
  expect((await builder('GET', RULES)).status).toBe(403)
  expect((await builder('POST', RULES, rule('b*'))).status).toBe(403)
  expect((await builder('DELETE', `${RULES}/${number}`)).status).toBe(403)
  expect((await harborOf(server.url)('GET', RULES)).status).toBe(401)
  expect((await keeper('DELETE', `${RULES}/${number}`)).status).toBe(200)
  const log = await admin('GET', '/projects/port/logs?q=resource_type=immutable-tag')
  expect(log.json.slice(0, 2).map((each: { operation: string }) => each.operation)).toEqual([
    'delete',
    'create',
  ])
})
