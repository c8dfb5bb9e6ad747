// Replication as a kind of job.
import { type JobContext, JobFailed, type JobKind, TryLater } from '../jobs/kinds.ts'
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { projectOf } from '../oci/reference.ts'
import { requireRemoteRegistry } from '../registries/remote-registry.ts'
import type { Upstreams } from '../registries/upstreams.ts'
import { identityOf } from '../registry/identity.ts'
import type { Json } from '../registry/ports.ts'
import { findProject } from '../registry/projects.ts'
import type { Actor } from '../registry/registry.ts'
import { UpstreamError } from '../upstream/upstream-error.ts'
import { clear } from './clear.ts'
import { copyArtifact, type Uploads } from './copy.ts'
import { platformFilter, repositoryMatcher, resourceFilter } from './filters.ts'
import { sourceHere, targetHere } from './here.ts'
import { destinationName } from './names.ts'
import { type Copying, type Deleting, type Payload, payloadOf, viaIn } from './payload.ts'
import type { Source, Target } from './place.ts'
import { plan } from './plan.ts'
import { runningOf } from './policies.ts'
import { findPolicy, type ReplicationPolicy } from './policy.ts'
import { sourceThere, targetThere } from './there.ts'
import { Throttle } from './throttle.ts'
import { Turns } from './turns.ts'

export function replication(upstreams: Upstreams): JobKind {
  const turns = new Turns()
  return {
    attempts: 3,
    retryAfterSeconds: 15,
    timeoutSeconds: 24 * 3600,
    atOnce: 20,
    // What one registry is asked for at once.
    atOncePerTarget: 5,
    run: (context) => run(context, upstreams, turns),
  }
}

async function run(context: JobContext, upstreams: Upstreams, turns: Turns): Promise<void> {
  const policy = await findPolicy(context.registry, context.execution.rule)
  if (!policy) throw new JobFailed('the rule was deleted meanwhile')
  const payload = payloadOf(context.task.payload)
  try {
    const { source, target } = await placesOf(context, policy, payload, upstreams)
    if (payload.do === 'plan') await planOnce(context, policy, source, payload.repository)
    else if (payload.do === 'copy') await copy(context, policy, { source, target, turns }, payload)
    else if (payload.do === 'clear') await clear(context, policy, payload)
    else await remove(context, policy, { source, target }, payload)
  } catch (error) {
    throw asJobError(error, context.registry.clock.nowMs())
  }
}

function asJobError(error: unknown, nowMs: number): unknown {
  if (isFinal(error)) return new JobFailed((error as Error).message, { cause: error })
  const waitMs = error instanceof UpstreamError ? error.waitMs(nowMs) : 0
  return waitMs > 0 ? new TryLater((error as Error).message, waitMs / 1000, { cause: error }) : error
}

/** Some registries answer so where two pushes of the same meet. */
const PASSING = [400, 408, 409, 416]

/** What another attempt cannot change: no right, no room, content that is not accepted. */
function isFinal(error: unknown): boolean {
  if (error instanceof UpstreamError) {
    const { failure, status = 0 } = error
    if (failure === 'failed') return status < 500 && !PASSING.includes(status)
    return failure === 'denied' || failure === 'forbidden'
  }
  return error instanceof RegistryError && error.status < 500 && error.status !== 416
}

async function placesOf(
  { registry, execution, task, signal }: JobContext,
  policy: ReplicationPolicy,
  payload: Payload,
  upstreams: Upstreams,
): Promise<{ source: Source; target: Target }> {
  const upstream = await upstreams.open(await requireRemoteRegistry(registry, policy.registryId))
  if (policy.direction === 'push') {
    const via = [...viaIn(task.payload), await identityOf(registry)]
    const isPublic = async () =>
      payload.do !== 'plan' && (await findProject(registry, projectOf(payload.repository)))?.public === true
    return { source: sourceHere(registry), target: targetThere(upstream, { via, signal, isPublic }) }
  }
  const actor: Actor = {
    principal: 'replication',
    requestId: `replication-${execution.number}`,
    // By it an event is known to come from there, and is not sent back.
    replicated: { from: policy.registryId },
  }
  return { source: sourceThere(upstream), target: targetHere(registry, actor) }
}

async function planOnce(
  context: JobContext,
  policy: ReplicationPolicy,
  source: Source,
  only: string | undefined,
): Promise<void> {
  if (!policy.enabled) throw new JobFailed('the rule is disabled')
  // Runs by event do not wait for others.
  const isSingle = policy.singleActive && only === undefined
  const other = isSingle ? await runningOf(context.registry, policy.id, context.execution.number) : undefined
  // Failed, and in these words, as in Harbor.
  if (other !== undefined)
    throw new JobFailed(`Execution skipped: active replication still in progress (execution ${other})`)
  await plan(context, policy, source, only)
}

async function copy(
  context: JobContext,
  policy: ReplicationPolicy,
  places: { source: Source; target: Target; turns: Turns },
  { repository, reference }: Copying,
): Promise<void> {
  const matches = repositoryMatcher(policy)
  const outcome = await copyArtifact(
    {
      ...places,
      from: repository,
      to: destinationName(repository, policy),
      override: policy.override,
      byChunk: policy.copyByChunk,
      throttle: new Throttle(policy.speed, context.signal),
      resource: resourceFilter(policy),
      platform: platformFilter(policy),
      destinationOf: (name) => (matches(name) ? nameOrNone(name, policy) : undefined),
      uploads: uploadsOf(context),
      log: context.log,
    },
    reference,
  )
  context.show({ outcome })
}

function nameOrNone(repository: string, policy: ReplicationPolicy): string | undefined {
  try {
    return destinationName(repository, policy)
  } catch {
    return undefined
  }
}

/** Kept as the task's state: several blobs at once, each write after the one before it. */
function uploadsOf(context: JobContext): Uploads {
  const kept = new Map(Object.entries((context.task.state.uploads ?? {}) as Record<string, Json>))
  let writing: Promise<void> = Promise.resolve()
  return {
    of: (digest: Digest) => kept.get(digest),
    keep: (digest, progress) => {
      if (progress === undefined && !kept.delete(digest)) return writing
      if (progress !== undefined) kept.set(digest, progress)
      writing = writing.then(() => context.save({ uploads: Object.fromEntries(kept) }))
      return writing
    },
  }
}

async function remove(
  context: JobContext,
  policy: ReplicationPolicy,
  { source, target }: { source: Source; target: Target },
  { repository, reference, digest }: Deleting,
): Promise<void> {
  const name = destinationName(repository, policy)
  if (await source.head(repository, reference)) {
    // Pushed again, or brought back: what is copied for that must not be lost.
    context.log(`${repository}:${reference} is there again: not deleted at ${target.name}`)
    context.show({ outcome: 'skipped' })
    return
  }
  const deleted = await target.delete(name, reference, digest)
  context.log(`${name}:${reference} ${deleted ? 'deleted' : 'was not there'} at ${target.name}`)
  context.show({ outcome: deleted ? 'deleted' : 'absent' })
}
