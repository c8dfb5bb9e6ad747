// Candidates whose time has not come after all: each is found again when it has, and left alone until then.
import { expect, test } from 'vitest'
import { findBlob } from '../../lib/registry/blobs.ts'
import { sweep } from '../../lib/registry/gc/sweep.ts'
import { keys } from '../../lib/registry/keys.ts'
import { DAY_MS, HOUR_MS, itemsOf, pushBlob, pushImage, type TestRegistry, testRegistry } from './registry.ts'

const NAME = 'library/app'
const waiting = async (registry: TestRegistry) => (await itemsOf(registry, 'GC#')).length

test('a candidate that has to wait some hours more is found again on that day', async () => {
  const registry = await testRegistry({ undoWindowMs: 30 * HOUR_MS })
  registry.clock.now += 20 * HOUR_MS
  const { digest } = await pushImage(registry, NAME, undefined)
  const there = async () =>
    (await itemsOf(registry, 'M#')).some((item) => item.pk.endsWith(digest) && item.sk === 'M')
  registry.clock.now += 30 * HOUR_MS
  expect((await sweep(registry, 'test')).looked).toBe(1)
  expect(await there()).toBe(true)
  expect((await sweep(registry, 'test')).looked).toBe(0)
  registry.clock.now += 4 * HOUR_MS
  await sweep(registry, 'test')
  expect(await there()).toBe(false)
})

test('a blob that was asked for and waits some days more goes when its time has come', async () => {
  const registry = await testRegistry()
  const digest = await pushBlob(registry, NAME, 'blob')
  registry.clock.now += DAY_MS
  await findBlob(registry, NAME, digest, true)
  const gone = []
  for (let day = 0; day < 4; day++) {
    registry.clock.now += DAY_MS
    await sweep(registry, 'test')
    expect(await waiting(registry)).toBe(day < 2 ? 1 : 0)
    expect((await sweep(registry, 'test')).looked).toBe(0)
    gone.push((await itemsOf(registry, 'L#')).length === 0)
  }
  expect(gone).toEqual([false, true, true, true])
})

test('a project that no longer keeps untagged manifests loses them within a week', async () => {
  const registry = await testRegistry({ undoWindowMs: DAY_MS }, { keepUntagged: true })
  const { digest } = await pushImage(registry, NAME, undefined)
  const there = async () =>
    (await itemsOf(registry, 'M#')).some((item) => item.pk.endsWith(digest) && item.sk === 'M')
  const pass = async (days: number) => {
    for (let day = 0; day < days; day++) {
      registry.clock.now += DAY_MS
      await sweep(registry, 'test')
    }
  }
  await pass(20)
  expect(await there()).toBe(true)
  const project = (await registry.metadata.get(keys.project('library')))!
  const changed = { ...project, attributes: { ...project.attributes, keepUntagged: false } }
  await registry.metadata.batchWrite([{ kind: 'put', item: changed }])
  await pass(7)
  expect(await there()).toBe(false)
})
