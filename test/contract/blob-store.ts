// What every BlobStore must keep; run on each implementation.
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Appended, BlobStore } from '../../lib/registry/ports.ts'

export interface OpenBlobStore {
  store: BlobStore
  close(): Promise<void>
}

/** More than any store takes at once. */
const LARGE = randomBytes(9_000_000)

async function* chunked(bytes: Uint8Array, size = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function* failing(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
  throw new Error('the client went away')
}

export function blobStoreContract(name: string, open: () => Promise<OpenBlobStore>): void {
  describe(name, () => {
    let opened: OpenBlobStore
    let store: BlobStore
    beforeEach(async () => {
      opened = await open()
      store = opened.store
    })
    afterEach(() => opened.close())

    const read = async (key: string, range?: { start: number; end: number }): Promise<Buffer | undefined> => {
      const body = await store.open(key, range)
      if (body === undefined || body instanceof Uint8Array) return body && Buffer.from(body)
      const chunks: Uint8Array[] = []
      for await (const chunk of body) chunks.push(Buffer.from(chunk))
      return Buffer.concat(chunks)
    }

    /** Ends an upload as the registry does. @returns the object's key */
    const finish = async (key: string, { state, object }: Appended, sizeBytes: number): Promise<string> => {
      if (object === undefined) await store.complete(key, state, sizeBytes)
      return object ?? key
    }

    test('an object comes back whole, whatever the size of its chunks', async () => {
      for (const [key, size, chunk] of [
        ['b/r/u/1', 0, 1],
        ['b/r/u/2', 1, 1],
        ['b/r/u/3', 3_145_729, 7919],
        ['b/r/u/4', 100_000, 100_000],
      ] as const) {
        const bytes = randomBytes(size)
        expect(await store.put(key, chunked(bytes, chunk))).toBe(size)
        expect((await read(key))?.equals(bytes)).toBe(true)
        expect(await store.stat(key)).toMatchObject({ key, sizeBytes: size })
      }
    })

    test('nothing is there when the body breaks off', async () => {
      await expect(store.put('b/r/u/x', failing(randomBytes(100)))).rejects.toThrow('went away')
      expect(await store.stat('b/r/u/x')).toBeUndefined()
      expect(await store.open('b/r/u/x')).toBeUndefined()
    })

    test('ranges are inclusive, of small and of large objects', async () => {
      const bytes = randomBytes(300_000)
      await store.put('b/r/u/r', chunked(bytes))
      for (const range of [
        { start: 0, end: 0 },
        { start: 10, end: 99_999 },
        { start: 1, end: 299_999 },
        { start: 299_999, end: 299_999 },
      ])
        expect((await read('b/r/u/r', range))?.equals(bytes.subarray(range.start, range.end + 1))).toBe(true)
    })

    test('an upload grows by appends and becomes an object when completed', async () => {
      const bytes = randomBytes(200_000)
      const first = await store.append('b/r/u/up', undefined, 0, chunked(bytes.subarray(0, 120_000)))
      expect(first.sizeBytes).toBe(120_000)
      const second = await store.append('b/r/u/up', first.state, 120_000, chunked(bytes.subarray(120_000)))
      expect((await read(await finish('b/r/u/up', second, 200_000)))?.equals(bytes)).toBe(true)
    })

    test('an append drops what a dead request left beyond its offset', async () => {
      const { state } = await store.append('b/r/u/up', undefined, 0, chunked(Buffer.from('abc')))
      await expect(
        store.append('b/r/u/up', state, 3, failing(Buffer.from('garbage that is longer'))),
      ).rejects.toThrow()
      const again = await store.append('b/r/u/up', state, 3, chunked(Buffer.from('def')))
      expect((await read(await finish('b/r/u/up', again, 6)))?.toString()).toBe('abcdef')
    })

    test('a second append to one upload ends the first', async () => {
      let release = () => {}
      const held = new Promise<void>((resolve) => {
        release = resolve
      })
      async function* slow(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('slow')
        await held
        yield Buffer.from('slow')
      }
      const { state } = await store.append('b/r/u/up', undefined, 0, chunked(Buffer.from('abc')))
      const first = store.append('b/r/u/up', state, 3, slow())
      const refused = expect(first).rejects.toThrow()
      const second = await store.append('b/r/u/up', state, 3, chunked(Buffer.from('def')))
      release()
      await refused
      expect((await read(await finish('b/r/u/up', second, 6)))?.toString()).toBe('abcdef')
    })

    test('however two appends to one upload meet, what the second was told is stored stays', async () => {
      for (let round = 0; round < 200; round++) {
        const upload = `up-${round}`
        const { state } = await store.append(`b/r/u/${upload}`, undefined, 0, chunked(Buffer.from('abc')))
        const first = store
          .append(`b/r/u/${upload}`, state, 3, failing(Buffer.from('garbage')))
          .catch(() => {})
        for (let turn = 0; turn < round % 20; turn++) await Promise.resolve()
        const second = await store.append(`b/r/u/${upload}`, state, 3, chunked(Buffer.from('def')))
        await first
        expect((await read(await finish(`b/r/u/${upload}`, second, 6)))?.toString()).toBe('abcdef')
      }
    })

    test('completing again, or twice at once, changes nothing', async () => {
      const appended = await store.append('b/r/u/up', undefined, 0, chunked(LARGE))
      const complete = () => finish('b/r/u/up', appended, LARGE.length)
      await Promise.all([complete(), complete(), complete()])
      expect((await read(await complete()))?.equals(LARGE)).toBe(true)
    })

    test('two uploads of one key are apart until one of them is completed', async () => {
      const first = await store.append('b/r/u/up', undefined, 0, chunked(LARGE))
      const second = await store.append('b/r/u/up', undefined, 0, chunked(Buffer.from('other')))
      await store.abort('b/r/u/up', second.state)
      expect((await read(await finish('b/r/u/up', first, LARGE.length)))?.equals(LARGE)).toBe(true)
    })

    test('an aborted upload is gone, and aborting or deleting what is not there is no error', async () => {
      const { state, object } = await store.append('b/r/u/up', undefined, 0, chunked(Buffer.from('abc')))
      await store.abort('b/r/u/up', state)
      await store.abort('b/r/u/up', state)
      await store.delete('b/r/u/never')
      if (object === undefined) await expect(store.complete('b/r/u/up', state, 3)).rejects.toThrow()
      else expect(await store.stat(object)).toBeUndefined()
    })

    test('a copy lives on when its source is deleted', async () => {
      await store.put('b/one/u/1', chunked(Buffer.from('content')))
      await store.copy('b/one/u/1', 'b/two/u/1')
      await store.delete('b/one/u/1')
      expect((await read('b/two/u/1'))?.toString()).toBe('content')
      expect(await read('b/one/u/1')).toBeUndefined()
    })

    test('objects are listed by prefix, each once', async () => {
      for (const key of ['b/one/u/1', 'b/one/u/12', 'b/one/m/1', 'b/two/u/1'])
        await store.put(key, chunked(Buffer.from(key)))
      const list = async (prefix: string) => {
        const found: string[] = []
        for await (const object of store.list(prefix)) found.push(object.key)
        return found.sort()
      }
      expect(await list('b/')).toEqual(['b/one/m/1', 'b/one/u/1', 'b/one/u/12', 'b/two/u/1'])
      expect(await list('b/one/u/')).toEqual(['b/one/u/1', 'b/one/u/12'])
      expect(await list('b/three/')).toEqual([])
    })
  })
}
