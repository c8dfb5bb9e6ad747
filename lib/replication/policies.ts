// Keeping replication policies: made, listed, changed, deleted, with their schedule and their use of a registry.
import { executionsOf } from '../jobs/executions.ts'
import { dropSchedule, setSchedule } from '../jobs/schedules.ts'
import { RegistryError } from '../oci/errors.ts'
import { endOfUse, writeWithUse } from '../registries/registries.ts'
import { keys, partitions } from '../registry/keys.ts'
import { nextNumber } from '../registry/numbers.ts'
import { pagesOf } from '../registry/partitions.ts'
import type { Write } from '../registry/ports.ts'
import { number, type Registry, text } from '../registry/registry.ts'
import { checkedPolicy } from './check-policy.ts'
import { refuseSelf } from './itself.ts'
import { type PolicyText, policyIn, policyItem, type ReplicationPolicy, unknownPolicy } from './policy.ts'

/** They are filtered in memory. */
const POLICIES_LIMIT = 1000
const VENDOR = 'REPLICATION'

/** @param ownUrl of this registry. @throws REQUEST_INVALID, NOT_FOUND for the registry; CONFLICT when the name is taken */
export async function createPolicy(
  registry: Registry,
  given: PolicyText,
  { creator, ownUrl }: { creator: string; ownUrl: string },
): Promise<ReplicationPolicy> {
  const checked = checkedPolicy(given)
  if ((await listPolicies(registry)).length >= POLICIES_LIMIT)
    throw new RegistryError('REQUEST_INVALID', `there are ${POLICIES_LIMIT} policies: delete some first`)
  const now = registry.clock.nowMs()
  const id = await nextNumber(registry, 'replication-policy')
  const made: ReplicationPolicy = { ...checked, id, creator, createdAtMs: now, updatedAtMs: now }
  const refused = await writeWithUse(registry, made.registryId, userOf(id), ({ url }) => {
    refuseSelf(made, url, ownUrl)
    return [
      listingWrite(made),
      { kind: 'put', if: { kind: 'absent' }, item: policyItem(registry, made) },
      eventListing(made),
    ]
  })
  if (refused.length > 0) throw refusedWrite(refused, made.name)
  await schedule(registry, made)
  return made
}

/** @throws as createPolicy, and NOT_FOUND */
export async function updatePolicy(
  registry: Registry,
  id: number,
  given: PolicyText,
  ownUrl: string,
): Promise<ReplicationPolicy> {
  const item = await registry.metadata.get(keys.replicationPolicy(id))
  const before = policyIn(item)
  if (!item || !before) throw unknownPolicy(id)
  const after: ReplicationPolicy = { ...before, ...checkedPolicy(given), updatedAtMs: registry.clock.nowMs() }
  const renamed: Write[] =
    after.name === before.name
      ? []
      : [listingWrite(after), { kind: 'delete', key: keys.replicationPolicyListing(before.name) }]
  const refused = await writeWithUse(registry, after.registryId, userOf(id), ({ url }) => {
    refuseSelf(after, url, ownUrl)
    return [
      ...renamed,
      { kind: 'put', if: unchanged(item), item: policyItem(registry, after) },
      eventListing(after),
      ...(after.registryId === before.registryId ? [] : [endOfUse(before.registryId, userOf(id))]),
    ]
  })
  if (refused.length > 0) throw refusedWrite(renamed.length > 0 ? refused : [1], after.name)
  await schedule(registry, after)
  return after
}

/** Its executions are kept as long as any. @throws NOT_FOUND; PRECONDITION while it runs */
export async function deletePolicy(registry: Registry, id: number): Promise<ReplicationPolicy> {
  const item = await registry.metadata.get(keys.replicationPolicy(id))
  const policy = policyIn(item)
  if (!item || !policy) throw unknownPolicy(id)
  if ((await runningOf(registry, id)) !== undefined)
    throw new RegistryError(
      'PRECONDITION',
      `replication policy ${id} has running executions: stop them first`,
    )
  const outcome = await registry.metadata.transact([
    { kind: 'delete', key: keys.replicationPolicyListing(policy.name) },
    { kind: 'delete', key: keys.replicationPolicy(id), if: unchanged(item) },
    { kind: 'delete', key: keys.replicationByEvent(id) },
    endOfUse(policy.registryId, userOf(id)),
  ])
  if (!outcome.ok) throw refusedWrite([1], policy.name)
  await dropSchedule(registry, VENDOR, id)
  return policy
}

export async function listPolicies(registry: Registry): Promise<ReplicationPolicy[]> {
  const found = await policiesIn(registry, partitions.replicationPolicies, (item) => number(item, 'id'))
  return found.sort((one, other) => one.id - other.id)
}

/** Those that a push or a deletion starts. */
export function policiesByEvent(registry: Registry): Promise<ReplicationPolicy[]> {
  return policiesIn(registry, partitions.replicationByEvent, (item) => Number(item.sk))
}

async function policiesIn(
  registry: Registry,
  pk: string,
  idOf: (item: { pk: string; sk: string; attributes: Record<string, never> }) => number,
): Promise<ReplicationPolicy[]> {
  const found: ReplicationPolicy[] = []
  for await (const page of pagesOf(registry.metadata, { pk })) {
    const wanted = page.map((item) => keys.replicationPolicy(idOf(item as never)))
    for (const item of await registry.metadata.batchGet(wanted)) {
      const policy = policyIn(item)
      if (policy) found.push(policy)
    }
  }
  return found
}

const RUNNING_LOOKED_AT = 50

/** @returns the number of an execution of the policy that has not ended, begun before `own`: of two at once, one goes on */
export async function runningOf(
  registry: Registry,
  policy: number,
  own = Number.POSITIVE_INFINITY,
): Promise<number | undefined> {
  let looked = 0
  for await (const { number: execution, status } of executionsOf(registry, VENDOR, policy)) {
    if (status === 'Running' && execution < own) return execution
    if (++looked === RUNNING_LOOKED_AT) return undefined
  }
  return undefined
}

async function schedule(
  registry: Registry,
  { id, trigger, enabled, cron }: ReplicationPolicy,
): Promise<void> {
  if (trigger === 'scheduled' && enabled)
    await setSchedule(registry, { vendor: VENDOR, rule: id, cron, payload: { do: 'plan' } })
  else await dropSchedule(registry, VENDOR, id)
}

function userOf(id: number): string {
  return `replication:${id}`
}

function unchanged(item: Parameters<typeof text>[0]) {
  return { kind: 'equals' as const, attributes: { gen: text(item, 'gen') } }
}

function listingWrite({ id, name }: ReplicationPolicy): Write {
  const item = { ...keys.replicationPolicyListing(name), attributes: { v: 1, id } }
  return { kind: 'put', if: { kind: 'absent' }, item }
}

function eventListing({ id, trigger, enabled }: ReplicationPolicy): Write {
  const key = keys.replicationByEvent(id)
  return trigger === 'event_based' && enabled
    ? { kind: 'put', item: { ...key, attributes: { v: 1 } } }
    : { kind: 'delete', key }
}

function refusedWrite(failed: number[], name: string): RegistryError {
  return failed.includes(0)
    ? new RegistryError('CONFLICT', `replication policy ${name} already exists`)
    : new RegistryError('CONFLICT', 'the policy is being changed by somebody else: try again')
}
