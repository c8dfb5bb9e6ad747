// What every MetadataStore must keep; run on each implementation.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Item, Key, MetadataStore, Write } from '../../lib/registry/ports.ts'

export interface OpenStore {
  store: MetadataStore
  close(): Promise<void>
}

const put = (pk: string, sk: string, attributes = {}): Write => ({
  kind: 'put',
  item: { pk, sk, attributes },
})

export function metadataStoreContract(name: string, open: () => Promise<OpenStore>): void {
  describe(name, () => {
    let opened: OpenStore
    let store: MetadataStore
    beforeEach(async () => {
      opened = await open()
      store = opened.store
    })
    afterEach(() => opened.close())

    test('an item comes back as it was put, with its bytes and its expiry', async () => {
      const item: Item = {
        pk: 'p#1',
        sk: 's/~é',
        attributes: { text: 'ü', number: 1.5, yes: true, none: null, list: [1, 'a'], map: { a: { b: 1 } } },
        bytes: Uint8Array.from({ length: 65_536 }, (_, index) => index % 256),
        expiresAtEpochSeconds: 4_000_000_000,
      }
      expect(await store.transact([{ kind: 'put', item }])).toEqual({ ok: true })
      const found = await store.get(item)
      expect({ ...found, bytes: Buffer.from(found!.bytes!) }).toEqual({
        ...item,
        bytes: Buffer.from(item.bytes!),
      })
      expect(await store.get({ pk: 'p#1', sk: 'other' })).toBeUndefined()
    })

    test('a batch of 100 keys is answered in their order, with gaps where there is nothing', async () => {
      await store.batchWrite(Array.from({ length: 50 }, (_, index) => put('p', `k${index * 2}`, { index })))
      const keys: Key[] = Array.from({ length: 100 }, (_, index) => ({ pk: 'p', sk: `k${99 - index}` }))
      const found = await store.batchGet(keys)
      expect(found.map((item) => item?.sk)).toEqual(
        keys.map(({ sk }) => (Number(sk.slice(1)) % 2 === 0 ? sk : undefined)),
      )
      expect(await store.batchGet([])).toEqual([])
    })

    test('a partition is listed in byte order of its sort keys', async () => {
      const names = [
        'b',
        'a',
        'A',
        'Z',
        '~',
        '_',
        '-',
        '1',
        '10',
        '2',
        'é',
        'a/b',
        'a-b',
        '\u{1F600}',
        '\uFFFD',
      ]
      await store.batchWrite([...names.map((sk) => put('p', sk)), put('q', 'other')])
      const sorted = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      const found = await store.query({ pk: 'p', limit: 100 })
      expect(found.map((item) => item.sk)).toEqual(sorted)
      const reversed = await store.query({ pk: 'p', limit: 100, reverse: true })
      expect(reversed.map((item) => item.sk)).toEqual(sorted.toReversed())
    })

    test('prefix, after, limit and direction cut a list as they say', async () => {
      await store.batchWrite(['a1', 'b1', 'b2', 'b3', 'b4', 'c1'].map((sk) => put('p', sk)))
      const list = async (query: object) =>
        (await store.query({ pk: 'p', limit: 100, ...query })).map((item) => item.sk)
      expect(await list({ prefix: 'b' })).toEqual(['b1', 'b2', 'b3', 'b4'])
      expect(await list({ prefix: 'b', after: 'b2' })).toEqual(['b3', 'b4'])
      expect(await list({ prefix: 'b', limit: 2 })).toEqual(['b1', 'b2'])
      expect(await list({ after: 'b2x' })).toEqual(['b3', 'b4', 'c1'])
      expect(await list({ prefix: 'b', reverse: true, limit: 1 })).toEqual(['b4'])
      expect(await list({ prefix: 'b', reverse: true, after: 'b3' })).toEqual(['b2', 'b1'])
      expect(await list({ prefix: 'x' })).toEqual([])
    })

    test('conditions decide, and a failed one leaves everything as it was and names itself', async () => {
      const key = { pk: 'p', sk: 's' }
      await store.transact([put('p', 's', { gen: 'a', state: 'live' })])
      const equals = (attributes: Record<string, string>) => ({ kind: 'equals' as const, attributes })
      const attempt = (write: Write) => store.transact([put('q', 'witness'), write])
      for (const write of [
        { ...put('p', 's'), if: { kind: 'absent' } },
        { ...put('p', 'none'), if: { kind: 'present' } },
        { ...put('p', 's'), if: equals({ gen: 'b' }) },
        { ...put('p', 's'), if: equals({ gen: 'a', state: 'dead' }) },
        { ...put('p', 's'), if: equals({ other: 'a' }) },
        { kind: 'delete', key, if: equals({ gen: 'b' }) },
        { kind: 'check', key, if: { kind: 'absent' } },
        { kind: 'delete', key: { pk: 'p', sk: 'none' }, if: { kind: 'present' } },
      ] as Write[])
        expect(await attempt(write)).toEqual({ ok: false, failed: [1] })
      expect(await store.get({ pk: 'q', sk: 'witness' })).toBeUndefined()
      expect((await store.get(key))?.attributes).toEqual({ gen: 'a', state: 'live' })
      expect(await attempt({ kind: 'check', key, if: equals({ gen: 'a', state: 'live' }) })).toEqual({
        ok: true,
      })
      expect(await attempt({ kind: 'delete', key, if: { kind: 'present' } })).toEqual({ ok: true })
      expect(await store.get(key)).toBeUndefined()
    })

    test('all failed conditions of a transaction are named', async () => {
      await store.transact([put('p', 'a'), put('p', 'b')])
      const absent = { kind: 'absent' as const }
      const writes: Write[] = [
        { ...put('p', 'a'), if: absent },
        put('p', 'c'),
        { ...put('p', 'b'), if: absent },
      ]
      expect(await store.transact(writes)).toEqual({ ok: false, failed: [0, 2] })
    })

    test('a transaction of 100 writes is made whole', async () => {
      expect(
        await store.transact(Array.from({ length: 100 }, (_, index) => put('p', String(index)))),
      ).toEqual({ ok: true })
      expect(await store.query({ pk: 'p', limit: 200 })).toHaveLength(100)
    })

    test('of many writers with the same condition exactly one wins', async () => {
      const writers = Array.from({ length: 20 }, (_, index) =>
        store.transact([{ ...put('p', 's', { index }), if: { kind: 'absent' } } as Write]),
      )
      const outcomes = await Promise.all(writers)
      expect(outcomes.filter((outcome) => outcome.ok)).toHaveLength(1)
      const winner = outcomes.findIndex((outcome) => outcome.ok)
      expect((await store.get({ pk: 'p', sk: 's' }))?.attributes).toEqual({ index: winner })
    })

    test('thousands of writes go through one batch, and a scan gives each item once', async () => {
      await store.batchWrite(Array.from({ length: 3000 }, (_, index) => put(`p${index % 7}`, String(index))))
      await store.batchWrite([{ kind: 'delete', key: { pk: 'p0', sk: '0' } }])
      const seen = new Set<string>()
      let after: Key | undefined
      for (;;) {
        const page = await store.scan(after, 250)
        for (const { pk, sk } of page) {
          expect(seen.has(`${pk} ${sk}`)).toBe(false)
          seen.add(`${pk} ${sk}`)
        }
        if (page.length < 250) break
        after = { pk: page.at(-1)!.pk, sk: page.at(-1)!.sk }
      }
      expect(seen.size).toBe(2999)
    })
  })
}
