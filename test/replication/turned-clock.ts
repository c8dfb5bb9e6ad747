// Replication with the clock turned by hand: a registry in memory that copies to a real one, which stands behind its log.
import { newSecrets, Secrets } from '../../lib/access/secret-keys.ts'
import { registryHealth } from '../../lib/kinds/registry-health.ts'
import { createAddressGuard } from '../../lib/outbound/address-guard.ts'
import { createRegistry } from '../../lib/registries/registries.ts'
import { Upstreams } from '../../lib/registries/upstreams.ts'
import { replication } from '../../lib/replication/job.ts'
import { createPolicy } from '../../lib/replication/policies.ts'
import type { PolicyText, ReplicationPolicy } from '../../lib/replication/policy.ts'
import { type JobPlace, jobPlace } from '../domain/jobs/place.ts'
import { startServer } from '../support/server.ts'
import { type Front, startFront } from './front.ts'

export const OWN_URL = 'https://here.example'

export interface ClockPlace extends JobPlace {
  front: Front
  /** A push of everything there, by hand, but for what is given. */
  policyText(more?: Partial<PolicyText>): PolicyText
  policy(more?: Partial<PolicyText>): Promise<ReplicationPolicy>
  /** @returns the digest there, null for none */
  arrived(repository: string, tag: string): Promise<string | null>
  close(): Promise<void>
}

export async function clockPlace(): Promise<ClockPlace> {
  const there = await startServer()
  const front = await startFront(there.url)
  const keys = new Secrets(await newSecrets(), { nowMs: Date.now })
  const upstreams = new Upstreams({ keys, guard: createAddressGuard(['127.0.0.0/8']) })
  const at = await jobPlace({
    REPLICATION: replication(upstreams),
    REGISTRY_HEALTH: registryHealth(upstreams),
  })
  const { id: registryId } = await createRegistry(at.registry, upstreams, {
    name: 'there',
    description: '',
    type: 'docker-registry',
    url: front.url,
    insecure: false,
    caCertificate: '',
    credentialType: '',
    accessKey: '',
    accessSecret: '',
  })
  const policyText = (more: Partial<PolicyText> = {}): PolicyText => ({
    name: 'rule',
    description: '',
    direction: 'push',
    registryId,
    namespace: '',
    replaceCount: -1,
    trigger: 'manual',
    cron: '',
    filters: [],
    override: true,
    deletion: false,
    enabled: true,
    speed: 0,
    copyByChunk: false,
    singleActive: false,
    ...more,
  })
  return {
    ...at,
    front,
    policyText,
    policy: (more) => createPolicy(at.registry, policyText(more), { creator: 'admin', ownUrl: OWN_URL }),
    arrived: async (repository, tag) => {
      const answer = await fetch(`${there.url}/v2/${repository}/manifests/${tag}`, { method: 'HEAD' })
      return answer.headers.get('docker-content-digest')
    },
    close: async () => {
      await front.stop()
      await there.stop()
    },
  }
}
