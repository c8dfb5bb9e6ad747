// Looking for projects, repositories and robots by name.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ADMIN_PASSWORD, type Server, startServer } from '../support/server.ts'
import { clientOf, digest, pushImage } from './client.ts'
import { basic, type Harbor, harborOf } from './management.ts'

let server: Server
let admin: Harbor
beforeAll(async () => {
  server = await startServer({ open: false })
  admin = harborOf(server.url, 'admin')
  await admin('POST', '/projects', { project_name: 'hidden-sea' })
  const registry = clientOf(server.url, basic('admin', ADMIN_PASSWORD))
  await pushImage(registry, 'library/sea/map', '1')
  await pushImage(registry, 'hidden-sea/chart', '1')
})
afterAll(() => server.stop())

async function hits(harbor: Harbor, q: string) {
  const { project, repository } = (await harbor('GET', `/search?q=${q}`)).json
  return {
    projects: project.map(({ name }: { name: string }) => name),
    repositories: repository.map((each: { repository_name: string }) => each.repository_name),
  }
}

test('a word is found in the names of projects and of repositories', async () => {
  const both = ['hidden-sea/chart', 'library/sea/map']
  expect(await hits(admin, 'sea')).toEqual({ projects: ['hidden-sea'], repositories: both })
  expect(await hits(admin, 'nothing')).toEqual({ projects: [], repositories: [] })
  expect((await hits(admin, '')).projects).toEqual(expect.arrayContaining(['hidden-sea', 'library']))
  expect((await admin('GET', '/search')).status).toBe(422)
})

test('nobody finds what is not public', async () => {
  const nobody = harborOf(server.url)
  expect(await hits(nobody, 'sea')).toEqual({ projects: [], repositories: ['library/sea/map'] })
})

test('repositories that hold a blob are found by its digest, where the blob may be pulled', async () => {
  const layer = digest('layer of hidden-sea/chart:1')
  const holders = async (harbor: Harbor, blob: string) => {
    const found = await harbor('GET', `/repositories?q=blob_digest=${blob}&page_size=1&page_number=1`)
    return found.json.map(({ name }: { name: string }) => name)
  }
  // It is known a moment after the push.
  await expect.poll(() => holders(admin, layer)).toEqual(['hidden-sea/chart'])
  expect(await holders(admin, digest('nobody has it'))).toEqual([])
  expect(await holders(harborOf(server.url), layer)).toEqual([])
  await expect
    .poll(() => holders(harborOf(server.url), digest('layer of library/sea/map:1')))
    .toEqual(['library/sea/map'])
})

test('robots are found by their names with and without the prefix', async () => {
  const access = [{ resource: 'repository', action: 'pull' }]
  const permissions = [{ kind: 'project', namespace: 'hidden-sea', access }]
  const made = { name: 'diver', level: 'project', duration: 1, permissions }
  expect((await admin('POST', '/robots', made)).status).toBe(201)
  const { project_id: id } = (await admin('GET', '/projects/hidden-sea')).json
  const found = async (name: string) => {
    // Clients encode it once more than they need.
    const q = `Level%253Dproject%252CProjectID%253D${id}%252Cname%3D${encodeURIComponent(encodeURIComponent(name))}`
    return (await admin('GET', `/robots?page=0&page_size=0&q=${q}`)).json.length
  }
  expect(await found('hidden-sea+diver')).toBe(1)
  expect(await found('robot$hidden-sea+diver')).toBe(1)
  expect(await found('diver')).toBe(0)
})

test('a project without rules on immutable tags has an empty list of them, which its administrators may read', async () => {
  expect((await admin('GET', '/projects/hidden-sea/immutabletagrules?page=1')).json).toEqual([])
  expect((await harborOf(server.url)('GET', '/projects/hidden-sea/immutabletagrules')).status).toBe(401)
})
