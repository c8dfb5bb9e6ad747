// A partition read from end to end.
import { expect, test } from 'vitest'
import { pagesOf } from '../../../lib/registry/partitions.ts'
import { memoryMetadataStore } from '../../support/memory-stores.ts'

const name = (number: number) => `b${String(number).padStart(3, '0')}`

/** Items a, b000, b001, … and c in one partition. */
async function storeOf(count: number) {
  const store = memoryMetadataStore()
  const names = ['a', ...Array.from({ length: count }, (_, number) => name(number)), 'c']
  await store.batchWrite(names.map((sk) => ({ kind: 'put', item: { pk: 'p', sk, attributes: {} } })))
  return store
}

test('every item comes once, in order, however many pages they fill, and only those asked for', async () => {
  for (const count of [1, 99, 100, 101, 250]) {
    const store = await storeOf(count)
    const read = async (range: { prefix?: string; after?: string }) =>
      (await Array.fromAsync(pagesOf(store, { pk: 'p', ...range }))).flat().map((item) => item.sk)
    const all = Array.from({ length: count }, (_, number) => name(number))
    expect(await read({})).toEqual(['a', ...all, 'c'])
    expect(await read({ prefix: 'b' })).toEqual(all)
    expect(await read({ prefix: 'b', after: name(0) })).toEqual(all.slice(1))
    expect(await read({ after: 'c' })).toEqual([])
  }
})

test('an empty partition has no page, and none is empty', async () => {
  const store = await storeOf(98)
  expect(await Array.fromAsync(pagesOf(store, { pk: 'none' }))).toEqual([])
  const sizes = (await Array.fromAsync(pagesOf(store, { pk: 'p' }))).map((page) => page.length)
  expect(sizes).toEqual([100])
})

test('what is written behind the page that was read last is seen', async () => {
  const store = await storeOf(100)
  const seen: string[] = []
  for await (const page of pagesOf(store, { pk: 'p' })) {
    seen.push(...page.map((item) => item.sk))
    await store.batchWrite([{ kind: 'put', item: { pk: 'p', sk: 'd', attributes: {} } }])
  }
  expect(seen.at(-1)).toBe('d')
})
