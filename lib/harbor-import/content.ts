// The content: pulled by replication rules of its own, one for each project, run by the job engine like any others.
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { ENDED, type Execution } from '../jobs/execution.ts'
import { type Jobs, readExecution, startExecution, tasksOf } from '../jobs/executions.ts'
import { RegistryError } from '../oci/errors.ts'
import { createRegistry, listRegistries, updateRegistry } from '../registries/registries.ts'
import { opened, type RegistryText, type RemoteRegistry } from '../registries/remote-registry.ts'
import { noted } from '../registry/audit-log.ts'
import { planSpec } from '../replication/payload.ts'
import { createPolicy, listPolicies, updatePolicy } from '../replication/policies.ts'
import type { PolicyText, ReplicationPolicy } from '../replication/policy.ts'
import type { Import } from './import.ts'

/** How the source is reached, for the replication as for its API. */
export type SourceAddress = Pick<
  RegistryText,
  'url' | 'insecure' | 'caCertificate' | 'accessKey' | 'accessSecret'
>

export interface Pull {
  jobs: Jobs
  /** Told now and then while it goes on. */
  progress(project: string, execution: Execution): void
}

const LOOK_EVERY_MS = 250
const TOLD_EVERY_MS = 5000
const FAILURES_TOLD = 100

/**
 * The source among the registries here, made or given the login of this run.
 * @throws REQUEST_INVALID when it does not answer; CONFLICT when its name here is another registry's
 */
export async function sourceRegistry(context: Import, address: SourceAddress): Promise<RemoteRegistry> {
  const { registry, upstreams, source } = context
  const name = `import-${source.host}`.slice(0, 64)
  const found = (await listRegistries(registry)).find((each) => each.name === name)
  if (!found) {
    const text = {
      name,
      description: `what ${source.host} was imported from`,
      type: 'harbor',
      credentialType: 'basic',
    }
    const made = await createRegistry(registry, upstreams, { ...text, ...address })
    await noted(context, { operation: 'create', resourceType: 'registry', resource: name })
    return made
  }
  if (found.url !== address.url || found.type !== 'harbor')
    throw new RegistryError('CONFLICT', `the registry ${name} here is ${found.url}: rename or delete it`)
  const known = opened(upstreams.keys, found)
  const fields = Object.keys(address) as (keyof SourceAddress)[]
  if (fields.every((field) => known[field] === address[field])) return found
  const changed = await updateRegistry(registry, upstreams, found.id, address)
  await noted(context, { operation: 'update', resourceType: 'registry', resource: name })
  return changed
}

/** Pulls all tags of all repositories of a project, and waits for it. */
export async function pullProject(
  context: Import,
  from: RemoteRegistry,
  project: string,
  { jobs, progress }: Pull,
): Promise<void> {
  const { registry, report } = context
  const rule = await ruleOf(context, from, project)
  const begun = await startExecution(jobs, { vendor: 'REPLICATION', rule: rule.id, trigger: 'MANUAL' }, [
    planSpec(rule),
  ])
  await noted(context, { operation: 'create', resourceType: 'replication_execution', resource: rule.name })
  let toldAtMs = registry.clock.nowMs()
  let execution = begun!
  while (!ENDED.includes(execution.status)) {
    await sleep(LOOK_EVERY_MS)
    execution = (await readExecution(registry, execution.number)) ?? { ...execution, status: 'Stopped' }
    if (registry.clock.nowMs() - toldAtMs < TOLD_EVERY_MS) continue
    toldAtMs = registry.clock.nowMs()
    progress(project, execution)
  }
  progress(project, execution)
  let told = 0
  for await (const { status, extra, message } of tasksOf(registry, execution.number))
    if (status !== 'Success' && told++ < FAILURES_TOLD) {
      const what = String(extra.source_resource || project)
      report({ kind: 'content', name: what, state: 'failed', why: message || status })
    }
}

async function ruleOf(context: Import, from: RemoteRegistry, project: string): Promise<ReplicationPolicy> {
  const { registry, actor, origin } = context
  const text: PolicyText = {
    name: `${from.name}-${project}`.slice(0, 256),
    description: `pulls project ${project} of ${from.url}; made by an import`,
    direction: 'pull',
    registryId: from.id,
    namespace: '',
    replaceCount: -1,
    trigger: 'manual',
    cron: '',
    filters: [{ type: 'name', value: `${project}/**`, decoration: '' }],
    override: true,
    deletion: false,
    enabled: true,
    speed: 0,
    copyByChunk: false,
    singleActive: true,
  }
  const found = (await listPolicies(registry)).find(({ name }) => name === text.name)
  const deed = { resourceType: 'replication', resource: text.name }
  if (!found) {
    const made = await createPolicy(registry, text, { creator: actor.principal, ownUrl: origin })
    await noted(context, { operation: 'create', ...deed })
    return made
  }
  const isSame = (Object.keys(text) as (keyof PolicyText)[])
    // How fast it may be, people may have set.
    .filter((field) => field !== 'speed')
    .every((field) => isDeepStrictEqual(text[field], found[field]))
  if (isSame) return found
  const changed = await updatePolicy(registry, found.id, { ...text, speed: found.speed }, origin)
  await noted(context, { operation: 'update', ...deed })
  return changed
}
