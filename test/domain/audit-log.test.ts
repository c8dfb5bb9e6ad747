// The audit log's items: how many pulls make, in which order they are read, and when they end.
import { expect, test } from 'vitest'
import { auditEntries, noted } from '../../lib/registry/audit-log.ts'
import { changeConfiguration } from '../../lib/registry/configuration.ts'
import { type PullRecord, Recorder } from '../../lib/registry/recorder.ts'
import { ACTOR, DAY_MS, itemsOf, type TestRegistry, testRegistry } from './registry.ts'

const PULL: PullRecord = {
  repo: 'repo1',
  projectId: 'p1',
  repository: 'library/app',
  tag: 'v1',
  digest: 'sha256:abc',
  principal: 'bob',
  client: 'test',
  requestId: 'r',
  hit: true,
}

async function read(registry: TestRegistry, projectId?: string): Promise<string[]> {
  const found: string[] = []
  for await (const { principal, operation } of auditEntries(registry, projectId))
    found.push(`${principal} ${operation}`)
  return found
}

const note = (registry: TestRegistry, resource: string, projectId?: string) =>
  noted(
    { registry, actor: { ...ACTOR, principal: resource } },
    { operation: 'create', resourceType: 'label', resource, ...(projectId ? { projectId } : {}) },
  )

const logged = async (registry: TestRegistry) => [
  ...(await itemsOf(registry, 'AU#')),
  ...(await itemsOf(registry, 'AP#')),
]

test('many pulls are few items: one of the registry’s log and one of each project’s', async () => {
  const registry = await testRegistry()
  const recorder = new Recorder(registry)
  const before = (await logged(registry)).length
  for (let pull = 0; pull < 50; pull++) recorder.pull(PULL)
  for (let pull = 0; pull < 50; pull++) recorder.pull({ ...PULL, projectId: 'p2' })
  await recorder.flush()
  expect((await logged(registry)).length - before).toBe(3)
  expect(await read(registry, 'p1')).toEqual(Array(50).fill('bob pull'))
  const numbers = new Set<number>()
  for await (const { number } of auditEntries(registry)) numbers.add(number)
  expect(numbers.size).toBe(100)
})

test('pulls that were written together are read in the order of time, between whatever else happened', async () => {
  const registry = await testRegistry()
  const recorder = new Recorder(registry)
  for (const who of ['one', 'two', 'three']) {
    recorder.pull({ ...PULL, principal: who })
    registry.clock.now += 10
    await note(registry, `after-${who}`, 'p1')
    registry.clock.now += 10
  }
  await recorder.flush()
  const expected = [
    'after-three create',
    'three pull',
    'after-two create',
    'two pull',
    'after-one create',
    'one pull',
  ]
  expect(await read(registry, 'p1')).toEqual(expected)
  expect(await read(registry)).toEqual(expected)
})

test('around midnight of a month’s last day each pull is in its own month', async () => {
  const registry = await testRegistry()
  registry.clock.now = Date.UTC(2026, 10, 30, 23, 59, 59)
  const recorder = new Recorder(registry)
  recorder.pull({ ...PULL, principal: 'old' })
  registry.clock.now += 2000
  recorder.pull({ ...PULL, principal: 'new' })
  await recorder.flush()
  expect((await itemsOf(registry, 'AU#2026-')).map(({ pk }) => pk).sort()).toEqual([
    'AU#2026-11',
    'AU#2026-12',
  ])
  expect(await read(registry)).toEqual(['new pull', 'old pull'])
})

test('in functions, which write before they answer, pulls wait for a minute, a full batch, or the end', async () => {
  const registry = await testRegistry()
  const recorder = new Recorder(registry, () => {})
  const pull = async (times = 1) => {
    for (let at = 0; at < times; at++) recorder.pull(PULL)
    await recorder.flush()
    return (await read(registry, 'p1')).length
  }
  expect(await pull()).toBe(1)
  expect(await pull()).toBe(1)
  registry.clock.now += 60_000
  expect(await pull()).toBe(3)
  expect(await pull(199)).toBe(3)
  expect(await pull()).toBe(203)
  recorder.pull(PULL)
  await recorder.flush({ last: true })
  expect(await read(registry, 'p1')).toHaveLength(204)
})

test('pulls are left out where the configuration says so, in either of Harbor’s two ways', async () => {
  for (const setting of [
    { pull_audit_log_disable: true },
    { disabled_audit_log_event_types: 'login_user, PULL_ARTIFACT' },
  ]) {
    const registry = await testRegistry()
    await changeConfiguration(registry, setting)
    const recorder = new Recorder(registry)
    recorder.pull(PULL)
    await recorder.flush()
    expect(await read(registry)).toEqual([])
    expect(await itemsOf(registry, 'PULLS#')).toHaveLength(1) // the pull log is another thing
  }
})

test('entries end after the days that are configured, 365 unless told otherwise, and are not shown any longer', async () => {
  expect((await testRegistry()).settings.auditKeptMs).toBe(365 * DAY_MS)
  const registry = await testRegistry({ auditKeptMs: 10 * DAY_MS })
  const recorder = new Recorder(registry)
  recorder.pull(PULL)
  await note(registry, 'a', 'p1')
  await recorder.flush()
  const ends = (registry.clock.now + 10 * DAY_MS) / 1000
  const kept = await logged(registry)
  expect(kept).toHaveLength(4)
  for (const { expiresAtEpochSeconds } of kept) expect(expiresAtEpochSeconds).toBe(ends)
  registry.clock.now += 10 * DAY_MS
  expect(await read(registry)).toHaveLength(2)
  registry.clock.now += 1
  expect(await read(registry)).toEqual([])
  expect(await read(registry, 'p1')).toEqual([])
})
