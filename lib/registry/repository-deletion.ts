// Deleting a repository: its name goes at once, in one transaction, however much it holds. What it holds stays until the
// undo window ends, so that undoing is one transaction too; then a sweep takes it apart by its id.
import { RegistryError } from '../oci/errors.ts'
import { projectOf } from '../oci/reference.ts'
import { candidateWrite } from './candidates.ts'
import { immutableIn, refuseImmutable } from './immutable-tags.ts'
import { keys, partitions } from './keys.ts'
import { eventWrite } from './outbox.ts'
import type { Attributes, Item, Write } from './ports.ts'
import { projectIn } from './projects.ts'
import { type Actor, number, type Registry, text } from './registry.ts'
import { type Repository, requireRepository } from './repositories.ts'

const ATTEMPTS = 20

/** @throws NAME_UNKNOWN; PRECONDITION while it has an immutable tag */
export async function deleteRepository(registry: Registry, name: string, actor: Actor): Promise<Repository> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const projectName = projectOf(name)
    const { repository, items } = await requireRepository(registry, name, () => [keys.project(projectName)])
    const immutable = items[0] && immutableIn(projectIn(items[0], projectName), name)
    if (immutable) await refuseImmutable(registry, partitions.tags(repository.id), immutable)
    const untilMs = registry.clock.nowMs() + registry.settings.undoWindowMs
    const { id, projectId, listed, attributes } = repository
    const tombstone: Attributes = {
      v: 1,
      name,
      projectId,
      project: projectName,
      state: 'deleted',
      untilMs,
      deletedBy: actor.principal,
      deletedAtMs: registry.clock.nowMs(),
      requestId: actor.requestId,
      /** The name's item, to be put back by an undo. */
      was: attributes,
    }
    const writes: Write[] = [
      { kind: 'delete', key: keys.repository(name), if: { kind: 'equals', attributes: { id, listed } } },
      { kind: 'delete', key: keys.catalog(name) },
      { kind: 'put', item: { ...keys.repositoryById(id), attributes: tombstone } },
      { kind: 'put', item: { ...keys.deletedRepository(name, id), attributes: { v: 1, untilMs } } },
      candidateWrite(untilMs, { kind: 'repository', repo: id }),
      eventWrite(registry, { id, name, projectId }, { type: 'repository.deleted', cause: 'delete' }, actor),
    ]
    if ((await registry.metadata.transact(writes)).ok) {
      registry.onEvent()
      return repository
    }
  }
  throw new RegistryError('UNAVAILABLE', `repository ${name} is being changed by many requests: try again`)
}

/**
 * Brings the last deleted repository of that name back, with all it held.
 * @throws NAME_UNKNOWN when there is none to bring back; REQUEST_INVALID (409) when the name is in use again
 */
export async function restoreRepository(registry: Registry, name: string, actor: Actor): Promise<string> {
  const [latest] = await registry.metadata.query({
    pk: keys.deletedRepository(name, '').pk,
    limit: 1,
    reverse: true,
  })
  const tombstone = latest && (await registry.metadata.get(keys.repositoryById(latest.sk)))
  const { deleted, id } = { deleted: tombstone?.attributes.state === 'deleted', id: latest?.sk ?? '' }
  if (!tombstone || !deleted || number(tombstone, 'untilMs') <= registry.clock.nowMs())
    throw new RegistryError(
      'NAME_UNKNOWN',
      `there is no deleted repository ${name}, or the window to undo its deletion has ended`,
    )
  const was = tombstone.attributes.was as Attributes
  const home = { id, name, projectId: text(tombstone, 'projectId') }
  const outcome = await registry.metadata.transact([
    { kind: 'put', if: { kind: 'absent' }, item: { ...keys.repository(name), attributes: was } },
    {
      kind: 'put',
      if: { kind: 'equals', attributes: { state: 'deleted' } },
      item: { ...keys.repositoryById(id), attributes: liveAgain(tombstone) },
    },
    { kind: 'delete', key: keys.deletedRepository(name, id) },
    ...(was.listed === true
      ? [
          {
            kind: 'put' as const,
            item: { ...keys.catalog(name), attributes: { v: 1, id, projectId: home.projectId } },
          },
        ]
      : []),
    eventWrite(registry, home, { type: 'repository.restored', cause: 'undo' }, actor),
  ])
  if (!outcome.ok)
    throw new RegistryError('REQUEST_INVALID', `repository ${name} exists again: delete it first`, {
      status: 409,
    })
  registry.onEvent()
  return id
}

function liveAgain(tombstone: Item): Attributes {
  const { name, projectId, project } = tombstone.attributes
  return { v: 1, name: name!, projectId: projectId!, project: project!, state: 'live' }
}
