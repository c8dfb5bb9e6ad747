// A registry in memory whose events are relayed by hand, with policies that post to a receiver of this machine.
import { newSecrets, Secrets } from '../../lib/access/secret-keys.ts'
import { webhookDelivery } from '../../lib/events/delivery.ts'
import { tellAll } from '../../lib/events/event.ts'
import { webhooks } from '../../lib/events/notify.ts'
import { createPolicy } from '../../lib/events/webhook-policies.ts'
import type { PolicyOptions, PolicyText, TargetText, WebhookPolicy } from '../../lib/events/webhook-policy.ts'
import type { Execution } from '../../lib/jobs/execution.ts'
import { executionsOf } from '../../lib/jobs/executions.ts'
import { createAddressGuard } from '../../lib/outbound/address-guard.ts'
import type { Item, Key, MetadataStore, Write } from '../../lib/registry/ports.ts'
import { findProject, type Project } from '../../lib/registry/projects.ts'
import type { Registry } from '../../lib/registry/registry.ts'
import { relay } from '../../lib/registry/relay.ts'
import { type JobPlace, jobPlace } from '../domain/jobs/place.ts'
import { type Receiver, startReceiver } from './receiver.ts'

export const NAME = 'library/app'
export const SECRET = 'It is a secret to everybody'
export const AUTH = 'Bearer of-good-news'

let made = 0

export interface EventPlace extends JobPlace {
  receiver: Receiver
  /** The project `library`, as it is now. */
  project(): Promise<Project>
  /** A policy for every event that posts to the receiver's path. */
  policy(
    more?: Partial<Omit<PolicyText, 'targets'>> & { targets?: Partial<TargetText>[] },
    options?: Partial<PolicyOptions>,
  ): Promise<WebhookPolicy>
  /** Relays what is in the outbox, as one process after another would. @returns what could not be relayed */
  relay(registry?: Registry): Promise<unknown[]>
  /** Relays, and delivers until there is nothing to deliver. */
  settle(): Promise<void>
  executions(policy: WebhookPolicy): Promise<Execution[]>
}

/** @param allowed private addresses that may be reached. @param attempts instead of the usual ones */
export async function eventPlace(allowed = ['127.0.0.0/8'], attempts?: number): Promise<EventPlace> {
  const keys = new Secrets(await newSecrets(), { nowMs: Date.now })
  const sabotaged = process.env.SABOTAGE === 'webhook-guard'
  const parts = { keys, guard: createAddressGuard(sabotaged ? ['all', '169.254.0.0/16'] : allowed) }
  const kind = (atOnce: number) => ({ ...webhookDelivery(parts, atOnce), ...(attempts ? { attempts } : {}) })
  const at = await jobPlace({ WEBHOOK: kind(4), SLACK: kind(1) })
  if (process.env.SABOTAGE === 'webhook-twice') at.registry.metadata = forgetful(at.registry.metadata)
  const receiver = await startReceiver()
  const project = async () => (await findProject(at.registry, 'library'))!
  const relayAll = async (registry: Registry = at.registry) => {
    const failures: unknown[] = []
    const listener = tellAll([webhooks({ ...at.runner, registry })])
    while ((await relay(registry, (error) => failures.push(error), listener)) > 0);
    return failures
  }
  return {
    ...at,
    receiver,
    project,
    policy: async ({ targets = [{}], ...more } = {}, options = {}) =>
      createPolicy(
        { registry: at.registry, keys, origin: 'https://harbor.dev' },
        await project(),
        {
          name: `policy ${++made}`,
          description: '',
          enabled: true,
          events: [
            'PUSH_ARTIFACT',
            'PULL_ARTIFACT',
            'DELETE_ARTIFACT',
            'QUOTA_EXCEED',
            'QUOTA_WARNING',
            'REPLICATION',
          ],
          targets: targets.map((target) => ({
            type: 'http',
            address: `${receiver.url}/hook`,
            format: '',
            skipCertVerify: false,
            authHeader: '',
            ...target,
          })),
          ...more,
        },
        options,
        'admin',
      ),
    relay: relayAll,
    settle: async () => {
      const failures = await relayAll()
      if (failures.length > 0) throw failures[0]
      await at.drain()
    },
    executions: async ({ number }) => {
      const found: Execution[] = []
      for (const vendor of ['WEBHOOK', 'SLACK'] as const)
        for await (const execution of executionsOf(at.registry, vendor, number)) found.push(execution)
      return found
    },
  }
}

/** A store that does not remember which events were handed on. */
function forgetful(metadata: MetadataStore): MetadataStore {
  const marks = (key: Key) => key.pk.startsWith('WD#')
  const forgetting = (write: Write): Write =>
    write.kind === 'put' && marks(write.item) ? { kind: 'put', item: write.item } : write
  return {
    ...metadata,
    get: async (key): Promise<Item | undefined> => (marks(key) ? undefined : metadata.get(key)),
    transact: (writes) => metadata.transact(writes.map(forgetting)),
  }
}
