// A policy tried on past pulls where the log of pulls is not in the table, as in the cloud: the audit log has them.
import { beforeEach, expect, test } from 'vitest'
import type { Digest } from '../../lib/oci/digest.ts'
import { policyFileIn } from '../../lib/policy/policy-file.ts'
import { replay } from '../../lib/policy/replay.ts'
import { Recorder } from '../../lib/registry/recorder.ts'
import { type TestRegistry, testRegistry } from '../domain/registry.ts'
import { library, NAME, pushRunnable } from './place.ts'

const HOUR_MS = 3_600_000
const STRICT = policyFileIn({ prevent_vul: true, severity: 'high' })

let registry: TestRegistry
let image: Digest
let pulled: (digest: Digest, tag?: string, repository?: string) => Promise<void>
beforeEach(async () => {
  registry = await testRegistry()
  image = await pushRunnable(registry, 'v1')
  const { id: projectId } = await library(registry)
  const recorder = new Recorder(registry, () => {})
  pulled = async (digest, tag, repository = NAME) => {
    const who = { principal: 'alice', client: 'docker', requestId: 'r' }
    recorder.pull({ repo: '', projectId, repository, ...(tag ? { tag } : {}), digest, hit: true, ...who })
    registry.clock.now += 61_000
    await recorder.flush()
  }
})

test('pulls by tag and by digest are judged, those before the time are not', async () => {
  await pulled(image, 'v1')
  registry.clock.now += 2 * HOUR_MS
  const since = registry.clock.now
  await pulled(image, 'v1')
  await pulled(image, 'v1')
  await pulled(image)
  const { pulls, gone, refused } = await replay(registry, STRICT, since)
  expect([pulls, gone]).toEqual([3, 0])
  expect(refused.map((each) => [each.repository, each.tag, each.pulls, each.principals])).toEqual([
    [NAME, 'v1', 2, ['alice']],
    [NAME, undefined, 1, ['alice']],
  ])
  expect(refused[0]!.violations[0]!.text).toContain('without vulnerability scanning')
})

test('other projects are left out where some are named, and what is gone is counted apart', async () => {
  await pulled(`sha256:${'ab'.repeat(32)}` as Digest, 'v0')
  await pulled(image, 'v1', 'elsewhere/app')
  const only = policyFileIn({ prevent_vul: true, severity: 'high', projects: ['library'] })
  expect(await replay(registry, only, 0)).toMatchObject({ pulls: 1, gone: 1, refused: [] })
})
