// Repositories as people list them: what is counted, what is described, and in which order.
import { expect, test } from 'vitest'
import { countArtifacts } from '../../lib/artifacts/artifact-count.ts'
import { deleteArtifact } from '../../lib/artifacts/delete-artifact.ts'
import { describeRepository, getRepository, listRepositories } from '../../lib/artifacts/repositories.ts'
import { parseQuery, parseSort } from '../../lib/http/harbor/query.ts'
import { keys } from '../../lib/registry/keys.ts'
import { createProject } from '../../lib/registry/projects.ts'
import { PullCounts } from '../../lib/registry/pull-counts.ts'
import { relay } from '../../lib/registry/relay.ts'
import { notationSignature, ociImage, pushArtifact, pushIndexOf } from './artifact-content.ts'
import { ACTOR, byTag, itemsOf, repositoryId, type TestRegistry, testRegistry } from './registry.ts'

const NAME = 'library/app'
const relayAll = async (registry: TestRegistry) => {
  while ((await relay(registry)) > 0);
}

async function list(registry: TestRegistry, asked: { q?: string; sort?: string; project?: string } = {}) {
  const { q = '', sort = '', project } = asked
  const wanted = {
    page: 1,
    pageSize: 100,
    filters: parseQuery(q),
    sort: parseSort(sort),
    ...(project === undefined ? {} : { project }),
  }
  const { repositories } = await listRepositories(registry, wanted, async () => true)
  return repositories.map(({ name }) => name)
}

test('a repository counts what its list shows: no accessory, and no part of an index', async () => {
  const registry = await testRegistry()
  const part = await pushArtifact(registry, NAME, undefined, ociImage('part'))
  await pushIndexOf(registry, NAME, 'all', [part])
  await pushArtifact(registry, NAME, 'v1', ociImage('v1'))
  await pushArtifact(registry, NAME, undefined, notationSignature(part.digest))
  expect(await getRepository(registry, NAME)).toEqual({
    id: expect.any(Number),
    repo: await repositoryId(registry, NAME),
    name: NAME,
    projectId: expect.any(String),
    description: '',
    artifactCount: 2,
    pullCount: 0,
    createdAtMs: registry.clock.now,
    updatedAtMs: registry.clock.now,
  })
})

test('a count is kept until something changes, and is right again after a push at once, after a deletion once relayed', async () => {
  const registry = await testRegistry()
  await pushArtifact(registry, NAME, 'v1', ociImage('one'))
  await relayAll(registry)
  const repo = await repositoryId(registry, NAME)
  const count = async (of = registry) => (await countArtifacts(of, [repo])).get(repo)
  expect(await count()).toBe(1)
  let lists = 0
  const query: typeof registry.metadata.query = (asked) => {
    if (asked.limit > 1) lists += 1
    return registry.metadata.query(asked)
  }
  const watched = { ...registry, metadata: { ...registry.metadata, query } }
  expect(await count(watched)).toBe(1)
  expect(lists).toBe(0)
  registry.clock.now += 1
  await pushArtifact(registry, NAME, 'v2', ociImage('two'))
  expect(await count()).toBe(2)
  await relayAll(registry)
  await deleteArtifact(registry, NAME, byTag('v1'), ACTOR)
  await relayAll(registry)
  expect(await count(watched)).toBe(1)
  expect(lists).toBeGreaterThan(0)
})

test('pulls and a new description are the repository’s last change', async () => {
  const registry = await testRegistry()
  const { digest } = await pushArtifact(registry, NAME, 'v1', ociImage())
  const made = registry.clock.now
  registry.clock.now += 1000
  await describeRepository(registry, NAME, '# App\n<b>bold</b>')
  expect(await getRepository(registry, NAME)).toMatchObject({
    description: '# App\n<b>bold</b>',
    createdAtMs: made,
    updatedAtMs: made + 1000,
  })
  registry.clock.now += 1000
  const counts = new PullCounts(registry)
  counts.pull(await repositoryId(registry, NAME), digest, 'v1')
  await counts.flush(true)
  expect(await getRepository(registry, NAME)).toMatchObject({ pullCount: 1, updatedAtMs: made + 2000 })
})

test('a description survives a push, and one that is too long or of no repository is refused', async () => {
  const registry = await testRegistry()
  await pushArtifact(registry, NAME, 'v1', ociImage())
  await describeRepository(registry, NAME, 'kept')
  await pushArtifact(registry, NAME, 'v2', ociImage('two'))
  expect((await getRepository(registry, NAME)).description).toBe('kept')
  await expect(describeRepository(registry, NAME, 'x'.repeat(65_537))).rejects.toMatchObject({ status: 400 })
  await expect(describeRepository(registry, 'library/no', 'x')).rejects.toMatchObject({
    code: 'NAME_UNKNOWN',
  })
  await expect(getRepository(registry, 'library/no')).rejects.toMatchObject({ code: 'NAME_UNKNOWN' })
})

test('repositories are listed newest first, or as asked, of one project or of those one may see', async () => {
  const registry = await testRegistry()
  await createProject(registry, 'team', {}, ACTOR)
  await createProject(registry, 'team2', {}, ACTOR)
  for (const name of ['library/b', 'team/a', 'team2/x', 'library/c']) {
    registry.clock.now += 1000
    await pushArtifact(registry, name, 'v1', ociImage())
  }
  expect(await list(registry)).toEqual(['library/c', 'team2/x', 'team/a', 'library/b'])
  expect(await list(registry, { sort: 'name' })).toEqual(['library/b', 'library/c', 'team/a', 'team2/x'])
  expect(await list(registry, { sort: 'creation_time' })).toEqual([
    'library/b',
    'team/a',
    'team2/x',
    'library/c',
  ])
  expect(await list(registry, { project: 'team' })).toEqual(['team/a'])
  expect(await list(registry, { q: 'name=~LIB' })).toEqual(['library/c', 'library/b'])
  const wanted = { page: 2, pageSize: 1, filters: parseQuery(''), sort: [] }
  const { repositories, total } = await listRepositories(
    registry,
    wanted,
    async (project) => project !== 'team',
  )
  expect([repositories.map(({ name }) => name), total]).toEqual([['team2/x'], 3])
})

test('listings of an older version are told apart by the age of their repositories too', async () => {
  const registry = await testRegistry()
  for (const name of ['library/b', 'library/a']) {
    registry.clock.now += 1000
    await pushArtifact(registry, name, 'v1', ociImage())
  }
  for (const item of await itemsOf(registry, 'CATALOG')) {
    const { createdAtMs: _, ...attributes } = item.attributes
    await registry.metadata.batchWrite([{ kind: 'put', item: { ...keys.catalog(item.sk), attributes } }])
  }
  expect(await list(registry)).toEqual(['library/a', 'library/b'])
})
