// A rule that its schedule fires, with the clock turned by hand, against a real registry.
import { expect, test } from 'vitest'
import { newSecrets, Secrets } from '../../lib/access/secret-keys.ts'
import { executionsOf } from '../../lib/jobs/executions.ts'
import { fireSchedules } from '../../lib/jobs/schedules.ts'
import { createAddressGuard } from '../../lib/outbound/address-guard.ts'
import { createRegistry } from '../../lib/registries/registries.ts'
import { Upstreams } from '../../lib/registries/upstreams.ts'
import { replication } from '../../lib/replication/job.ts'
import { createPolicy, updatePolicy } from '../../lib/replication/policies.ts'
import type { PolicyText } from '../../lib/replication/policy.ts'
import { jobPlace } from '../domain/jobs/place.ts'
import { pushImage } from '../domain/registry.ts'
import { startServer } from '../support/server.ts'

const NAME = 'library/nightly'
const POLICY: Omit<PolicyText, 'registryId'> = {
  name: 'nightly',
  description: '',
  direction: 'push',
  namespace: '',
  replaceCount: -1,
  trigger: 'scheduled',
  cron: '0 30 2 * * *',
  filters: [{ type: 'name', value: NAME, decoration: '' }],
  override: true,
  deletion: false,
  enabled: true,
  speed: 0,
  copyByChunk: false,
  singleActive: false,
}

test('a scheduled rule copies at its times, though two processes look, and not once it is disabled', async () => {
  const there = await startServer()
  const keys = new Secrets(await newSecrets(), { nowMs: Date.now })
  const upstreams = new Upstreams({ keys, guard: createAddressGuard(['127.0.0.0/8']) })
  const { runner, registry, drain } = await jobPlace({ REPLICATION: replication(upstreams) })
  try {
    registry.clock.now = Date.UTC(2026, 0, 1, 0, 0)
    const text = {
      name: 'there',
      description: '',
      type: 'docker-registry',
      url: there.url,
      insecure: false,
      caCertificate: '',
      credentialType: '',
      accessKey: '',
      accessSecret: '',
    }
    const { id: registryId } = await createRegistry(registry, upstreams, text)
    const from = { creator: 'admin', ownUrl: 'https://here.example' }
    const policy = await createPolicy(registry, { ...POLICY, registryId }, from)
    const arrived = async (tag: string) =>
      (await fetch(`${there.url}/v2/${NAME}/manifests/${tag}`, { method: 'HEAD' })).headers.get(
        'docker-content-digest',
      )
    const at = async (day: number, hour: number) => {
      registry.clock.now = Date.UTC(2026, 0, day, hour)
      await Promise.all([fireSchedules(runner), fireSchedules(runner)])
      await drain()
    }
    const { digest: first } = await pushImage(registry, NAME, 'v1')
    await at(1, 2)
    expect(await arrived('v1')).toBeNull()
    await at(1, 3)
    expect(await arrived('v1')).toBe(first)
    const { digest: second } = await pushImage(registry, NAME, 'v2', { layer: 'other' })
    await at(1, 23)
    expect(await arrived('v2')).toBeNull()
    await at(2, 3)
    expect(await arrived('v2')).toBe(second)

    await updatePolicy(registry, policy.id, { ...POLICY, registryId, enabled: false }, from.ownUrl)
    await at(5, 3)
    const runs = []
    for await (const { trigger, status } of executionsOf(registry, 'REPLICATION', policy.id))
      runs.push([trigger, status])
    expect(runs).toEqual([
      ['SCHEDULE', 'Success'],
      ['SCHEDULE', 'Success'],
    ])
  } finally {
    await there.stop()
  }
}, 60_000)
