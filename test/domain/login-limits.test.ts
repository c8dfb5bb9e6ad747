// Failed logins: how many are let through before a name, or an address, is told to wait, and who is not.
import { beforeAll, expect, test } from 'vitest'
import { Passwords } from '../../lib/access/passwords.ts'
import { createUser } from '../../lib/access/users.ts'
import type { MetadataStore } from '../../lib/registry/ports.ts'
import type { Registry } from '../../lib/registry/registry.ts'
import { memoryMetadataStore } from '../support/memory-stores.ts'
import { itemsOf, type TestRegistry, testRegistry } from './registry.ts'

const PASSWORD = 'Right-password-1'
/** Counts as any other, and is refused before it is hashed, which is quicker a hundred times. */
const GUESS = 'x'.repeat(1025)
const HOME = '192.0.2.7'
const ELSEWHERE = '198.51.100.9'
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

let template: TestRegistry
beforeAll(async () => {
  template = await testRegistry()
})

/** With the sabotage each process counts for itself. */
function asSeenByOne(registry: TestRegistry): Registry {
  if (process.env.SABOTAGE !== 'login-limits') return registry
  const [shared, own] = [registry.metadata, memoryMetadataStore()]
  const storeOf = ({ pk }: { pk: string }) => (/^L[FNP]#/.test(pk) ? own : shared)
  const metadata: MetadataStore = {
    ...shared,
    get: (key) => storeOf(key).get(key),
    batchGet: (keys) => Promise.all(keys.map((key) => storeOf(key).get(key))),
    transact: (writes) =>
      storeOf(writes[0]!.kind === 'put' ? writes[0]!.item : writes[0]!.key).transact(writes),
  }
  return { ...registry, metadata }
}

/** A registry with ann in it, and as many processes on it as are wanted. */
async function processes(count = 1) {
  const registry = await testRegistry()
  await createUser(registry, { name: 'ann', email: 'ann@example.com', password: PASSWORD })
  const all = Array.from({ length: count }, () => new Passwords(asSeenByOne(registry)))
  let turn = 0
  /** At one process after another. @returns the principal's name, `wrong`, or how many seconds to wait */
  const logIn = async (name: string, password: string, address: string): Promise<string | number> => {
    try {
      turn += 1
      return (await all[turn % count]!.verify(name, password, address))?.name ?? 'wrong'
    } catch (error) {
      const { code, headers } = error as { code: string; headers: Record<string, string> }
      expect(code).toBe('TOOMANYREQUESTS')
      return Number(headers['Retry-After'])
    }
  }
  return { registry, logIn }
}

const times = <Result>(count: number, run: (at: number) => Promise<Result>) =>
  Array.from({ length: count }).reduce<Promise<Result[]>>(
    async (before, _, at) => [...(await before), await run(at)],
    Promise.resolve([]),
  )

test('ten wrong secrets of a name close it to their address for the rest of a minute, whichever process they come to', async () => {
  const { registry, logIn } = await processes(3)
  for (const name of ['ann', 'nobody', 'robot$none', '']) {
    const guesses = await times(12, () => logIn(name, GUESS, ELSEWHERE))
    expect([name, guesses]).toEqual([name, [...Array(10).fill('wrong'), 60, 60]])
  }
  expect(await logIn('ann', PASSWORD, ELSEWHERE)).toBe(60)
  registry.clock.now += MINUTE_MS - 1
  expect(await logIn('ann', PASSWORD, ELSEWHERE)).toBe(1)
  registry.clock.now += 1
  expect(await logIn('ann', PASSWORD, ELSEWHERE)).toBe('ann')
})

test('upper case, and the two prefixes of a robot, are no further tries', async () => {
  const { logIn } = await processes()
  await times(5, () => logIn('ann', GUESS, ELSEWHERE))
  await times(5, () => logIn('ANN', GUESS, ELSEWHERE))
  expect(await logIn('Ann', PASSWORD, ELSEWHERE)).toBe(60)
  await times(5, () => logIn('robot$a', GUESS, ELSEWHERE))
  await times(5, () => logIn('robot-a', GUESS, ELSEWHERE))
  expect(await logIn('robot$a', 'x', ELSEWHERE)).toBe(60)
})

test('what a process remembers of a right secret lets nobody guess past the limit', async () => {
  const { logIn } = await processes()
  expect(await logIn('ann', PASSWORD, HOME)).toBe('ann')
  await times(10, () => logIn('ann', GUESS, HOME))
  expect(await logIn('ann', PASSWORD, HOME)).toBe(60)
})

test('a hundred wrong secrets from many addresses close a name, but not to where it has logged in from', async () => {
  const { registry, logIn } = await processes()
  expect(await logIn('ann', PASSWORD, HOME)).toBe('ann')
  registry.clock.now += 20 * DAY_MS
  await times(100, (at) => logIn('ann', GUESS, `203.0.113.${at}`))
  expect(await logIn('ann', PASSWORD, ELSEWHERE)).toBe(600)
  expect(await logIn('ann', PASSWORD, HOME)).toBe('ann')
  registry.clock.now += 10 * MINUTE_MS
  expect(await logIn('ann', PASSWORD, ELSEWHERE)).toBe('ann')
})

test('a place nobody logged in from for a month is familiar no more', async () => {
  const { registry, logIn } = await processes()
  expect(await logIn('ann', PASSWORD, HOME)).toBe('ann')
  registry.clock.now += 30 * DAY_MS
  await times(100, (at) => logIn('ann', GUESS, `203.0.113.${at}`))
  expect(await logIn('ann', PASSWORD, HOME)).toBe(600)
})

test('a hundred wrong secrets of many names close an address to whoever is not at home there', async () => {
  const { logIn } = await processes(2)
  expect(await logIn('ann', PASSWORD, HOME)).toBe('ann')
  const guesses = await times(101, (at) => logIn(`robot$ci${at}`, GUESS, HOME))
  expect(guesses).toEqual([...Array(100).fill('wrong'), 600])
  expect(await logIn('bob', GUESS, HOME)).toBe(600)
  expect(await logIn('ann', PASSWORD, HOME)).toBe('ann')
  expect(await logIn('bob', GUESS, ELSEWHERE)).toBe('wrong')
})

test('addresses of one /64 are one address', async () => {
  const { logIn } = await processes()
  await times(10, (at) => logIn('ann', GUESS, `2001:db8::${at + 1}`))
  expect(await logIn('ann', PASSWORD, '2001:db8::ffff')).toBe(60)
  expect(await logIn('ann', PASSWORD, '2001:db8:0:1::1')).toBe('ann')
})

test('many guesses at once are no way around: a right one that comes after too many wrong ones is not let in', async () => {
  const { logIn } = await processes()
  const guesses = Array.from({ length: 30 }, (_, at) => logIn('ann', `guess ${at}`, ELSEWHERE))
  const right = logIn('ann', PASSWORD, ELSEWHERE)
  await Promise.all(guesses)
  expect(typeof (await right)).toBe('number')
})

test('a login costs one read; only the first of a day from an address writes', async () => {
  const { registry, logIn } = await processes()
  const calls: string[] = []
  registry.metadata = new Proxy(registry.metadata, {
    get: (store, name: keyof MetadataStore) =>
      typeof store[name] !== 'function'
        ? store[name]
        : (...given: never[]) => {
            calls.push(name)
            return (store[name] as (...all: never[]) => unknown)(...given)
          },
  })
  await logIn('ann', PASSWORD, HOME)
  expect(calls).toEqual(['batchGet', 'batchGet', 'transact'])
  calls.length = 0
  for (let login = 0; login < 3; login++) await logIn('ann', PASSWORD, HOME)
  registry.clock.now += 5 * MINUTE_MS // no longer remembered
  await logIn('ann', PASSWORD, HOME)
  expect(calls).toEqual(['batchGet', 'batchGet', 'batchGet', 'batchGet'])
})

test('nothing that was typed for a name is kept, and what is kept ends', async () => {
  const { registry, logIn } = await processes()
  await logIn('My-Secret-Passw0rd', 'x', ELSEWHERE)
  const kept = (await itemsOf(registry, 'L')).filter(({ pk }) => /^L[FNP]#/.test(pk))
  expect(kept).toHaveLength(3)
  expect(JSON.stringify(kept)).not.toMatch(/My-Secret/i)
  for (const { expiresAtEpochSeconds } of kept)
    expect(expiresAtEpochSeconds! * 1000).toBeLessThanOrEqual(template.clock.now + 10 * MINUTE_MS)
})
