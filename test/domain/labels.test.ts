// Labels: names of a scope, and the artifacts that have them.
import { expect, test } from 'vitest'
import { addLabel, deleteLabel, removeLabel } from '../../lib/artifacts/artifact-labels.ts'
import { getArtifact } from '../../lib/artifacts/artifacts.ts'
import { createLabel, listLabels, requireLabel, updateLabel } from '../../lib/artifacts/labels.ts'
import { parseQuery, parseSort } from '../../lib/http/harbor/query.ts'
import { deleteReference } from '../../lib/registry/deletion.ts'
import { sweep } from '../../lib/registry/gc/sweep.ts'
import { createProject } from '../../lib/registry/projects.ts'
import { relay } from '../../lib/registry/relay.ts'
import { readRepository } from '../../lib/registry/repositories.ts'
import { deleteRepository, restoreRepository } from '../../lib/registry/repository-deletion.ts'
import { ociImage, pushArtifact } from './artifact-content.ts'
import { before, busy } from './meddling.ts'
import { ACTOR, byDigest, byTag, DAY_MS, itemsOf, type TestRegistry, testRegistry } from './registry.ts'

const NAME = 'library/app'
const P1 = { id: 'p1', name: 'one', number: 7 }
const P2 = { id: 'p2', name: 'two', number: 8 }
const text = (name: string) => ({ name, description: `about ${name}`, color: '#FF0000' })
const page = (q = '', sort = '', number = 1, pageSize = 100) => ({
  page: number,
  pageSize,
  filters: parseQuery(q),
  sort: parseSort(sort),
})

async function labelledImage() {
  const registry = await testRegistry()
  const { digest } = await pushArtifact(registry, NAME, 'v1', ociImage())
  const { repository } = (await readRepository(registry, NAME))!
  const labels = async () =>
    (await getArtifact(registry, NAME, byTag('v1'))).labels.map((label) => label.name)
  return { registry, digest, repository, labels }
}

const names = async (registry: TestRegistry, scope: string, ...asked: Parameters<typeof page>) =>
  (await listLabels(registry, scope, page(...asked))).labels.map((label) => label.name)

test('a label has a number, its scope and times, and is found by its number', async () => {
  const registry = await testRegistry()
  const label = await createLabel(registry, 'g', text('prod'))
  const { now } = registry.clock
  expect(label).toEqual({
    id: 1,
    ...text('prod'),
    scope: 'g',
    projectId: '',
    projectName: '',
    projectNumber: 0,
    createdAtMs: now,
    updatedAtMs: now,
  })
  expect(await createLabel(registry, P1, text('prod'))).toMatchObject({
    id: 2,
    scope: 'p',
    projectId: 'p1',
  })
  expect(await requireLabel(registry, 1)).toEqual(label)
  await expect(requireLabel(registry, 9)).rejects.toMatchObject({
    code: 'NOT_FOUND',
    status: 404,
    message: 'label 9 not found',
  })
})

test('a name is used once in a scope, and again in another', async () => {
  const registry = await testRegistry()
  await createLabel(registry, 'g', text('prod'))
  await createLabel(registry, P1, text('prod'))
  await createLabel(registry, P2, text('prod'))
  const taken = { code: 'REQUEST_INVALID', status: 409, message: 'label prod already exists' }
  await expect(createLabel(registry, P1, text('prod'))).rejects.toMatchObject(taken)
  const other = await createLabel(registry, P1, text('test'))
  await expect(updateLabel(registry, other.id, text('prod'))).rejects.toMatchObject(taken)
  await deleteLabel(registry, 2)
  expect(await updateLabel(registry, other.id, text('prod'))).toMatchObject({ name: 'prod' })
  await createLabel(registry, P1, text('test'))
})

test('a label needs a name of at most 128 bytes, a colour that is one, and a short description', async () => {
  const registry = await testRegistry()
  await createLabel(registry, 'g', { name: 'x'.repeat(128), description: '', color: '' })
  for (const wrong of [
    { ...text('x'), name: '' },
    { ...text('x'), name: 'x'.repeat(129) },
    { ...text('x'), name: 'ü'.repeat(65) },
    { ...text('x'), color: 'url(evil)' },
    { ...text('x'), color: '#12' },
    { ...text('x'), description: 'x'.repeat(1025) },
  ])
    await expect(createLabel(registry, 'g', wrong)).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      status: 400,
    })
})

test('a scope’s labels are listed in the order they were made, or as asked, and found by their name', async () => {
  const registry = await testRegistry()
  for (const name of ['b', 'A', 'ab']) await createLabel(registry, 'g', text(name))
  await createLabel(registry, P1, text('c'))
  expect(await names(registry, 'g')).toEqual(['b', 'A', 'ab'])
  expect(await names(registry, 'g', 'name=~a')).toEqual(['A', 'ab'])
  expect(await names(registry, 'g', '', '-name')).toEqual(['b', 'ab', 'A'])
  expect(await names(registry, 'g', '', '', 2, 2)).toEqual(['ab'])
  expect(await names(registry, 'p1')).toEqual(['c'])
  expect((await listLabels(registry, 'g', page('', '', 1, 1))).total).toBe(3)
})

test('a changed label keeps its number, scope and age', async () => {
  const registry = await testRegistry()
  const label = await createLabel(registry, P1, text('old'))
  registry.clock.now += 1000
  const changed = await updateLabel(registry, label.id, { name: 'new', description: '', color: 'red' })
  expect(changed).toEqual({
    ...label,
    name: 'new',
    description: '',
    color: 'red',
    updatedAtMs: registry.clock.now,
  })
  expect(await requireLabel(registry, label.id)).toEqual(changed)
  expect(await names(registry, 'p1')).toEqual(['new'])
  await expect(updateLabel(registry, 9, text('x'))).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test('of two changes at once both count, one after the other, and of two of one name the second fails', async () => {
  const registry = await testRegistry()
  const { id } = await createLabel(registry, 'g', text('one'))
  const slow = before(registry, 'transact', () => updateLabel(registry, id, text('two')))
  expect(await updateLabel(slow, id, text('three'))).toMatchObject({ name: 'three' })
  expect(await names(registry, 'g')).toEqual(['three'])
  const late = before(registry, 'transact', () => createLabel(registry, 'g', text('same')), 1)
  await expect(createLabel(late, 'g', text('same'))).rejects.toMatchObject({ status: 409 })
  await expect(updateLabel(busy(registry), id, text('x'))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
})

test('a label is put on an artifact once, and taken off', async () => {
  const { registry, digest, repository, labels } = await labelledImage()
  const { id } = await createLabel(registry, 'g', text('prod'))
  const own = await createLabel(registry, { ...P1, id: repository.projectId }, text('own'))
  await addLabel(registry, repository, digest, own.id)
  await addLabel(registry, repository, digest, id)
  expect(await labels()).toEqual(['own', 'prod'])
  await expect(addLabel(registry, repository, digest, id)).rejects.toMatchObject({ status: 409 })
  await removeLabel(registry, repository, digest, id)
  expect(await labels()).toEqual(['own'])
  await expect(removeLabel(registry, repository, digest, id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test('no label of another project, none that does not exist, and none on an artifact that does not', async () => {
  const { registry, digest, repository } = await labelledImage()
  const other = await createProject(registry, 'other', {}, ACTOR)
  const foreign = await createLabel(registry, other, text('foreign'))
  const known = await createLabel(registry, 'g', text('known'))
  await expect(addLabel(registry, repository, digest, foreign.id)).rejects.toMatchObject({ status: 404 })
  await expect(addLabel(registry, repository, digest, 99)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  const absent = `sha256:${'0'.repeat(64)}` as typeof digest
  await expect(addLabel(registry, repository, absent, known.id)).rejects.toMatchObject({
    code: 'MANIFEST_UNKNOWN',
  })
  const slow = before(registry, 'transact', () => deleteLabel(registry, known.id))
  await expect(addLabel(slow, repository, digest, known.id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test('labels put on an artifact at the same moment are all there', async () => {
  const { registry, digest, repository, labels } = await labelledImage()
  const one = await createLabel(registry, 'g', text('one'))
  const two = await createLabel(registry, 'g', text('two'))
  const slow = before(registry, 'transact', () => addLabel(registry, repository, digest, two.id))
  await addLabel(slow, repository, digest, one.id)
  expect(await labels()).toEqual(['two', 'one'])
})

test('a deleted label is on no artifact any more', async () => {
  const { registry, digest, repository, labels } = await labelledImage()
  const { id } = await createLabel(registry, 'g', text('prod'))
  const kept = await createLabel(registry, 'g', text('kept'))
  await addLabel(registry, repository, digest, id)
  await addLabel(registry, repository, digest, kept.id)
  expect(await deleteLabel(registry, id)).toMatchObject({ name: 'prod' })
  expect(await labels()).toEqual(['kept'])
  expect(await names(registry, 'g')).toEqual(['kept'])
  expect(await itemsOf(registry, `LA#${id}`)).toEqual([])
  await expect(deleteLabel(registry, id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test('an artifact loses its labels when it is deleted, but not while its repository could come back', async () => {
  const { registry, digest, repository, labels } = await labelledImage()
  const relayAll = async () => {
    while ((await relay(registry)) > 0);
  }
  await relayAll()
  const { id } = await createLabel(registry, 'g', text('prod'))
  await addLabel(registry, repository, digest, id)
  await deleteRepository(registry, NAME, ACTOR)
  await relayAll()
  await restoreRepository(registry, NAME, ACTOR)
  await relayAll()
  expect(await labels()).toEqual(['prod'])
  await deleteReference(registry, NAME, byDigest(digest), ACTOR)
  await relayAll()
  expect(await itemsOf(registry, 'LA#')).toEqual([])
  await pushArtifact(registry, NAME, 'v1', ociImage())
  expect(await labels()).toEqual([])
})

test('of a repository that is gone for good no label item is left', async () => {
  const { registry, digest, repository } = await labelledImage()
  const { id } = await createLabel(registry, 'g', text('prod'))
  await addLabel(registry, repository, digest, id)
  await deleteRepository(registry, NAME, ACTOR)
  for (let day = 0; day < 12; day++) {
    registry.clock.now += DAY_MS
    while ((await relay(registry)) > 0);
    await sweep(registry, 'test')
    while ((await relay(registry)) > 0);
  }
  expect(await itemsOf(registry, 'LA#')).toEqual([])
  const left = [
    ...(await itemsOf(registry, `M#${repository.id}`)),
    ...(await itemsOf(registry, `I#${repository.id}`)),
  ]
  expect(left.map(({ pk, sk }) => `${pk} ${sk}`)).toEqual([])
})
