// The parts of a cache: who fetches, how much at once, what matches, and copies that are read while they grow.
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { openFileSpool } from '../../lib/local/file-spool.ts'
import { fetchOnce } from '../../lib/proxy/fetching.ts'
import { mirrorsIn } from '../../lib/proxy/mirrors.ts'
import { Slots, Throttle } from '../../lib/proxy/slots.ts'
import { keys } from '../../lib/registry/keys.ts'
import { matchesAny } from '../../lib/registry/name-patterns.ts'
import { UpstreamError } from '../../lib/upstream/upstream-error.ts'
import { itemsOf, testRegistry } from './registry.ts'

test('of many who want the same one fetches, and leaves no lease', async () => {
  const registry = await testRegistry()
  let stored: string | undefined
  let fetched = 0
  const want = () =>
    fetchOnce(registry, {
      what: 'thing',
      find: async () => stored,
      fetch: async () => {
        fetched += 1
        await new Promise((resolve) => setImmediate(resolve))
        stored = 'it'
        return stored
      },
    })
  expect(await Promise.all(Array.from({ length: 20 }, want))).toEqual(Array(20).fill('it'))
  expect(fetched).toBe(1)
  expect(await itemsOf(registry, 'FL#')).toEqual([])
})

test('whose holder died is taken over when the lease ends, and not before', async () => {
  const registry = await testRegistry()
  const untilMs = registry.clock.now + 15_000
  const attributes = { v: 1, holder: 'somebody who died', untilMs }
  await registry.metadata.batchWrite([{ kind: 'put', item: { ...keys.fetching('thing'), attributes } }])
  let looks = 0
  const find = async () => {
    looks += 1
    if (looks === 3) registry.clock.now = untilMs
    return undefined
  }
  expect(await fetchOnce(registry, { what: 'thing', find, fetch: async () => 'fetched' })).toBe('fetched')
  expect(looks).toBe(4) // waited twice, then looked once more with the lease in hand
})

test('a failure is told to those who wait, and tried again a moment later', async () => {
  const registry = await testRegistry()
  let fetched = 0
  const want = () =>
    fetchOnce(registry, {
      what: 'thing',
      find: async () => undefined,
      fetch: async () => {
        fetched += 1
        throw new UpstreamError('limited', 'slow down', { status: 429, retryAfter: '7' })
      },
    })
  for (let again = 0; again < 3; again++)
    await expect(want()).rejects.toMatchObject({ failure: 'limited', message: 'slow down', retryAfter: '7' })
  expect(fetched).toBe(1)
  registry.clock.now += 1001
  await expect(want()).rejects.toMatchObject({ status: 429 })
  expect(fetched).toBe(2)
})

test('what is thrown by our own programs tells others nothing but that it failed', async () => {
  const registry = await testRegistry()
  const fetch = async () => {
    throw new Error('secret of the disk')
  }
  const want = () => fetchOnce(registry, { what: 'thing', find: async () => undefined, fetch })
  await expect(want()).rejects.toThrow('secret of the disk')
  await expect(want()).rejects.toMatchObject({ failure: 'broken', message: 'fetching it failed' })
})

test('more requests than a limit allows wait in their order', async () => {
  const slots = new Slots(2)
  const [first, second] = [await slots.take(), await slots.take()]
  const order: number[] = []
  const waiting = [3, 4].map(async (each) => {
    const release = await slots.take()
    order.push(each)
    return release
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect(order).toEqual([])
  first()
  first() // given back once, whatever is done
  const third = await waiting[0]!
  expect(order).toEqual([3])
  second()
  third()
  await waiting[1]
  expect(order).toEqual([3, 4])
  const unlimited = new Slots(0)
  for (let each = 0; each < 1000; each++) await unlimited.take()
})

test('a limit of bytes a second is shared by all that goes through it, and nothing is lost', async () => {
  async function* body() {
    for (let each = 0; each < 5; each++) yield Buffer.alloc(1000, each)
  }
  let now = 0
  const throttle = new Throttle(50_000, {
    nowMs: () => now,
    wait: async (ms) => {
      now += ms
    },
  })
  let size = 0
  const read = async () => {
    for await (const chunk of throttle.limit(body())) size += chunk.length
  }
  await Promise.all([read(), read()])
  expect(size).toBe(10_000)
  expect(now).toBeGreaterThanOrEqual(200) // ms for 10,000 bytes at 50,000 a second
})

test.each([
  ['library/*', 'library/app', true],
  ['library/*', 'library/app/more', false],
  ['bitnami/**', 'bitnami/a/b', true],
  ['{one,two}/app', 'two/app', true],
  ['{one,two}/app', 'three/app', false],
  ['library/app, other/**', 'other/x', true],
  ['', 'anything', false],
  [`${'{a,b}'.repeat(20)}`, 'ab'.repeat(10), false],
])('the patterns %j and the name %j: %j', (patterns, name, matches) => {
  expect(matchesAny(patterns, name)).toBe(matches)
})

test('mirrors are read as they are written, in any case', () => {
  expect([...mirrorsIn('Docker.io=hub, ghcr.io=ghcr ,*=hub')]).toEqual([
    ['docker.io', 'hub'],
    ['ghcr.io', 'ghcr'],
    ['*', 'hub'],
  ])
  expect(mirrorsIn('').size).toBe(0)
})

test('a growing copy is read whole by whoever comes early or late, and leaves nothing behind', async () => {
  const directory = await mkdtemp(`${tmpdir()}/entrepot-spool-`)
  const spool = await openFileSpool(directory)
  expect(await readdir(directory)).toEqual([])
  const read = async () => {
    const chunks: Buffer[] = []
    for await (const chunk of spool.read()) chunks.push(Buffer.from(chunk))
    return Buffer.concat(chunks).toString()
  }
  const early = read()
  await spool.write(Buffer.from('one '))
  const late = read()
  await spool.write(Buffer.from('two'))
  await spool.end()
  expect(await Promise.all([early, late])).toEqual(['one two', 'one two'])
  await rm(directory, { recursive: true })
})

test('who reads a copy that fails gets what failed, and not a short one', async () => {
  const directory = await mkdtemp(`${tmpdir()}/entrepot-spool-`)
  const spool = await openFileSpool(directory)
  const reading = (async () => {
    for await (const _ of spool.read());
  })()
  await spool.write(Buffer.from('begun'))
  await spool.end(new Error('it broke off'))
  await expect(reading).rejects.toThrow('it broke off')
  await rm(directory, { recursive: true })
})
