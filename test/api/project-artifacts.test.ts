// Artifacts of all repositories of a project (goharbor/harbor v2.14: listArtifactsOfProject).
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ADMIN_PASSWORD, type Server, startServer } from '../support/server.ts'
import { clientOf, pushImage } from './client.ts'
import { basic, type Harbor, harborOf, makeProject, makeUser } from './management.ts'

let server: Server
let admin: Harbor
const CONFIG = 'application/vnd.oci.image.config.v1+json'

beforeAll(async () => {
  server = await startServer({ open: false })
  admin = harborOf(server.url, 'admin')
  const http = clientOf(server.url, basic('admin', ADMIN_PASSWORD))
  await makeProject(admin, 'fleet')
  for (const [name, tag] of [
    ['a', 'v1'],
    ['a', 'v2'],
    ['deep/b', 'v1'],
  ] as const)
    await pushImage(http, `fleet/${name}`, tag)
})
afterAll(() => server.stop())

const list = (query: string) => admin('GET', `/projects/fleet/artifacts?${query}`)
const named = (json: { repository_name: string; tags: { name: string }[] }[]) =>
  json.map((each) => `${each.repository_name}:${each.tags[0]?.name}`)

test('a project’s artifacts are listed over all of its repositories, newest first, with pages', async () => {
  const all = await list('')
  expect([named(all.json), all.headers['x-total-count']]).toEqual([
    ['fleet/deep/b:v1', 'fleet/a:v2', 'fleet/a:v1'],
    '3',
  ])
  const page = await list('page=2&page_size=2&sort=push_time')
  expect([named(page.json), page.headers['x-total-count']]).toEqual([['fleet/deep/b:v1'], '3'])
  expect(page.headers.link).toContain('rel="prev"')
})

test('they are filtered by what artifacts are filtered by, and by their repository', async () => {
  expect(named((await list('q=tags=v2')).json)).toEqual(['fleet/a:v2'])
  expect(named((await list(`q=repository_name=${encodeURIComponent('~deep')}`)).json)).toEqual([
    'fleet/deep/b:v1',
  ])
  expect((await list('q=size=many')).status).toBe(400)
})

test('latest_in_repository leaves each repository’s newest, of one type that has to be named', async () => {
  const { json } = (await list('q=tags=*')) as { json: { media_type: string }[] }
  const type = json[0]!.media_type
  const latest = await list(`latest_in_repository=true&q=media_type=${encodeURIComponent(type)}`)
  expect([named(latest.json), latest.headers['x-total-count']]).toEqual([
    ['fleet/deep/b:v1', 'fleet/a:v2'],
    '2',
  ])
  expect((await list('latest_in_repository=true')).status).toBe(400)
  const both = encodeURIComponent(`media_type=${CONFIG},artifact_type=${CONFIG}`)
  expect((await list(`latest_in_repository=true&q=${both}`)).status).toBe(400)
  expect((await list('latest_in_repository=perhaps')).status).toBe(422)
})

test('members list them, nobody else does, and without a login not even those of a public project', async () => {
  await makeUser(admin, 'stranger')
  expect((await harborOf(server.url, 'stranger')('GET', '/projects/fleet/artifacts')).status).toBe(403)
  expect((await harborOf(server.url)('GET', '/projects/library/artifacts')).status).toBe(401)
  expect((await harborOf(server.url, 'stranger')('GET', '/projects/library/artifacts')).json).toEqual([])
})
