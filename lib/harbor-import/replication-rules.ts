// Replication rules between the source and other registries. They come disabled unless told otherwise, because the
// source still runs its own.
import { RegistryError } from '../oci/errors.ts'
import { checkedPolicy } from '../replication/check-policy.ts'
import { createPolicy, listPolicies, updatePolicy } from '../replication/policies.ts'
import type {
  FilterType,
  PolicyFilter,
  PolicyText,
  PolicyTrigger,
  ReplicationPolicy,
} from '../replication/policy.ts'
import { type Fields, flagIn, numberIn, objectIn, objectsIn, textIn } from './fields.ts'
import type { Import } from './import.ts'
import { differing, settle } from './outcome.ts'
import type { Registries } from './registries.ts'

/** @throws HarborApiError */
export async function bringReplicationRules(context: Import, registries: Registries): Promise<void> {
  const { registry, source, origin, actor, report, enableRules } = context
  const present = await listPolicies(registry)
  for (const row of await source.all('/replication/policies')) {
    const name = textIn(row, 'name')
    const found = present.find((each) => each.name === name)
    const wantsEnabled = flagIn(row, 'enabled')
    const enabled = enableRules ? wantsEnabled : (found?.enabled ?? false)
    const policy = { ...policyIn(row, registries), enabled }
    const state = await settle(context, {
      kind: 'replication rule',
      name,
      differences: found && differences(policy, found),
      create: () => createPolicy(registry, required(policy), { creator: actor.principal, ownUrl: origin }),
      ...(found ? { change: () => updatePolicy(registry, found.id, required(policy), origin) } : {}),
      deed: () => ({ resourceType: 'replication', resource: name }),
    })
    if (wantsEnabled && !enabled && state !== 'failed')
      report({
        kind: 'replication rule',
        name,
        state: 'note',
        why: 'it comes disabled: --enable-rules enables it',
      })
  }
}

function policyIn(row: Fields, registries: Registries): PolicyText {
  const [from, to] = ['src_registry', 'dest_registry'].map((each) => numberIn(objectIn(row, each), 'id') ?? 0)
  const trigger = objectIn(row, 'trigger')
  return {
    name: textIn(row, 'name'),
    description: textIn(row, 'description'),
    direction: to! > 0 ? 'push' : 'pull',
    registryId: registries.get(to! > 0 ? to! : from!)?.id ?? 0,
    namespace: textIn(row, 'dest_namespace'),
    replaceCount: numberIn(row, 'dest_namespace_replace_count') ?? -1,
    trigger: (textIn(trigger, 'type') || 'manual') as PolicyTrigger,
    cron: textIn(objectIn(trigger, 'trigger_settings'), 'cron'),
    filters: objectsIn(row, 'filters').map(filterIn),
    override: flagIn(row, 'override'),
    deletion: flagIn(row, 'replicate_deletion') || flagIn(row, 'deletion'),
    enabled: flagIn(row, 'enabled'),
    speed: numberIn(row, 'speed') ?? 0,
    copyByChunk: flagIn(row, 'copy_by_chunk'),
    singleActive: flagIn(row, 'single_active_replication'),
  }
}

/** What is wrong with a filter is said where the policy is checked. */
function filterIn(row: Fields): PolicyFilter {
  const { value } = row
  return {
    type: textIn(row, 'type') as FilterType,
    value: Array.isArray(value) ? value.map(String) : String(value ?? ''),
    decoration: textIn(row, 'decoration') as PolicyFilter['decoration'],
  }
}

/** @throws REQUEST_INVALID when its registry is not here */
function required(policy: PolicyText): PolicyText {
  if (policy.registryId === 0) throw new RegistryError('REQUEST_INVALID', 'its registry was not brought')
  return policy
}

function differences(there: PolicyText, here: ReplicationPolicy): string[] {
  let wanted = there
  try {
    wanted = checkedPolicy(there)
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error
  }
  return (Object.keys(wanted) as (keyof PolicyText)[]).flatMap((field) =>
    differing(field, wanted[field], here[field]),
  )
}
