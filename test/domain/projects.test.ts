// Projects and repositories: their names, who makes them, and what two makers at once get.
import { expect, test } from 'vitest'
import { keys } from '../../lib/registry/keys.ts'
import {
  createProject,
  findProject,
  listProjects,
  type ProjectSettings,
  requireProject,
} from '../../lib/registry/projects.ts'
import { openRepository, readRepository, requireRepository } from '../../lib/registry/repositories.ts'
import { before } from './meddling.ts'
import { ACTOR, itemsOf, pushImage, testRegistry } from './registry.ts'

test('a project is found as it was made, and is private, complete and tidy unless told otherwise', async () => {
  const registry = await testRegistry()
  const usual = { public: false, allowMissingChildren: false, keepUntagged: false }
  const settings: ProjectSettings[] = [
    {},
    { public: true },
    { allowMissingChildren: true },
    { keepUntagged: true },
  ]
  for (const [index, each] of settings.entries()) {
    const name = `project-${index}`
    const made = await createProject(registry, name, each, ACTOR)
    const now = registry.clock.now
    const told = { owner: 'alice', createdAtMs: now, updatedAtMs: now, metadata: {}, quotaBytes: -1 }
    expect(made).toEqual({ id: made.id, number: index + 2, name, ...told, ...usual, ...each }) // library is 1
    expect(await findProject(registry, name)).toEqual(made)
  }
  expect(await findProject(registry, 'none')).toBeUndefined()
})

test('a project remembers who made it and when', async () => {
  const registry = await testRegistry()
  await createProject(registry, 'mine', {}, { principal: 'carol', requestId: 'r' })
  await createProject(registry, 'ours')
  const made = async (name: string) => (await registry.metadata.get(keys.project(name)))!.attributes
  expect(await made('mine')).toMatchObject({ owner: 'carol', createdAtMs: registry.clock.now })
  expect(await made('ours')).toMatchObject({ owner: 'system' })
})

test('a project’s name is lowercase words with single separators, of at most 255 characters', async () => {
  const registry = await testRegistry()
  for (const good of ['a', '7', 'a.b', 'a_b', 'a__b', 'a-b', 'a---b', 'a1.b2-c3', 'x'.repeat(255)])
    expect((await createProject(registry, good)).name).toBe(good)
  for (const bad of [
    '',
    'A',
    '.a',
    'a.',
    'a..b',
    'a___b',
    '-a',
    'a-',
    'a/b',
    'a b',
    'é',
    'x'.repeat(256),
    'a\nb',
  ])
    await expect(createProject(registry, bad)).rejects.toMatchObject({
      code: 'NAME_INVALID',
      status: 400,
      message: expect.stringContaining(JSON.stringify(bad)),
    })
})

test('a project is made once: the second time is 409 and changes nothing', async () => {
  const registry = await testRegistry()
  const first = await createProject(registry, 'mine', { public: true })
  await expect(createProject(registry, 'mine', { public: false })).rejects.toMatchObject({
    code: 'CONFLICT',
    status: 409,
    message: expect.stringContaining('mine'),
  })
  expect(await findProject(registry, 'mine')).toEqual(first)
})

test('projects are listed in byte order, page by page, each with its visibility', async () => {
  const registry = await testRegistry()
  const made = []
  for (const [name, isPublic] of [
    ['b', true],
    ['a', false],
    ['c', true],
  ] as const)
    made.push(await createProject(registry, name, { public: isPublic }))
  const page = await listProjects(registry, { limit: 2 })
  expect(page).toEqual([
    { name: 'a', id: made[1]!.id, public: false },
    { name: 'b', id: made[0]!.id, public: true },
  ])
  const rest = await listProjects(registry, { limit: 9, after: 'b' })
  expect(rest.map((each) => each.name)).toEqual(['c', 'library'])
})

test('a push to a project nobody made is refused, saying how to make it', async () => {
  const registry = await testRegistry()
  await expect(openRepository(registry, 'none/app', ACTOR)).rejects.toMatchObject({
    code: 'NAME_UNKNOWN',
    status: 404,
    message: expect.stringContaining('entrepot project create none'),
    detail: { project: 'none' },
  })
  expect(await readRepository(registry, 'none/app')).toBeUndefined()
})

test('where pushes make projects, they make public ones', async () => {
  const registry = await testRegistry({ createProjectsOnPush: true })
  const repository = await openRepository(registry, 'new/app', ACTOR)
  expect(await findProject(registry, 'new')).toMatchObject({ id: repository.projectId, public: true })
  const made = (await registry.metadata.get(keys.project('new')))!
  expect(made.attributes.owner).toBe('alice')
  await expect(requireProject(registry, 'NEW', ACTOR)).rejects.toMatchObject({ code: 'NAME_INVALID' })
})

test('two first pushes at once agree on one project and one repository', async () => {
  for (const turn of [0, 1]) {
    const registry = await testRegistry({ createProjectsOnPush: true })
    let first: unknown
    const slow = before(
      registry,
      'transact',
      async () => {
        first = await openRepository(registry, 'new/app', ACTOR)
      },
      turn,
    )
    expect(await openRepository(slow, 'new/app', ACTOR)).toEqual(first)
    expect(await itemsOf(registry, 'P#new')).toHaveLength(1)
  }
})

test('a repository knows its project, its maker, and whether it has had a manifest', async () => {
  const registry = await testRegistry()
  const made = await openRepository(registry, 'library/app', ACTOR)
  const project = (await findProject(registry, 'library'))!
  expect(made).toMatchObject({
    name: 'library/app',
    projectId: project.id,
    projectName: 'library',
    listed: false,
    attributes: { createdBy: 'alice', createdAtMs: registry.clock.now },
  })
  await pushImage(registry, 'library/app', 'v1')
  expect(await openRepository(registry, 'library/app', ACTOR)).toMatchObject({ id: made.id, listed: true })
})

test('a repository that was deleted, or made anew under its name, is seen as it is now', async () => {
  const registry = await testRegistry()
  const { id } = await openRepository(registry, 'library/app', ACTOR)
  const item = (await registry.metadata.get(keys.repository('library/app')))!
  const wanted = (repositoryId: string) => [keys.tag(repositoryId, 'v1')]
  const tag = { ...keys.tag('next', 'v1'), attributes: { v: 1 } }
  await registry.metadata.batchWrite([
    { kind: 'put', item: tag },
    { kind: 'put', item: { ...item, attributes: { ...item.attributes, id: 'next' } } },
  ])
  expect(id).not.toBe('next')
  for (let time = 0; time < 2; time++) {
    const found = await requireRepository(registry, 'library/app', wanted)
    expect(found).toMatchObject({ repository: { id: 'next' }, items: [tag] })
  }
  await registry.metadata.batchWrite([{ kind: 'delete', key: keys.repository('library/app') }])
  for (let time = 0; time < 2; time++)
    await expect(requireRepository(registry, 'library/app', wanted)).rejects.toMatchObject({
      code: 'NAME_UNKNOWN',
      detail: { name: 'library/app' },
    })
})

test('a repository and items of it are read in one call once its id is known', async () => {
  const registry = await testRegistry()
  await pushImage(registry, 'library/app', 'v1')
  let calls = 0
  const counted = before(registry, 'batchGet', () => (calls += 1), 'every')
  const read = () => readRepository(counted, 'library/app', (id) => [keys.tag(id, 'v1')])
  const first = await read()
  expect(calls).toBe(2)
  expect(await read()).toEqual(first)
  expect(calls).toBe(3)
  expect(first!.items[0]).toBeDefined()
})
