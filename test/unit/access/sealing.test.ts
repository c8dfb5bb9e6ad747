// Secrets that have to be read again.
import { expect, test } from 'vitest'
import { seal, unseal } from '../../../lib/access/sealing.ts'
import { completed, newSecrets, parseSecrets, Secrets, withNewKeys } from '../../../lib/access/secret-keys.ts'

const clock = { nowMs: Date.now }

test('what is sealed says nothing, is opened again, and is another text each time', async () => {
  const keys = new Secrets(await newSecrets(), clock)
  const sealed = [1, 2].map(() => seal(keys, 'pässword', 'registry:1'))
  expect(sealed[0]).not.toBe(sealed[1])
  expect(Buffer.from(sealed[0]!.split('.')[2]!, 'base64url').toString('latin1')).not.toContain('ssword')
  expect(sealed.map((each) => unseal(keys, each, 'registry:1'))).toEqual(['pässword', 'pässword'])
})

test('it opens at its own place alone, unaltered, and with its own keys', async () => {
  const keys = new Secrets(await newSecrets(), clock)
  const sealed = seal(keys, 'secret', 'registry:1')
  expect(() => unseal(keys, sealed, 'registry:2')).toThrow()
  expect(() => unseal(keys, `${sealed.slice(0, -2)}AA`, 'registry:1')).toThrow()
  const others = new Secrets(await newSecrets(), clock)
  expect(() => unseal(others, sealed, 'registry:1')).toThrow(/is not here/)
  for (const garbage of ['', 'v1', 'v1.x.y', 'v2.a.b'])
    expect(() => unseal(keys, garbage, 'registry:1')).toThrow()
})

test('rotation adds a key and forgets none, however old', async () => {
  const first = await newSecrets()
  const sealed = seal(new Secrets(first, clock), 'secret', 'registry:1')
  let document = first
  for (let year = 1; year <= 3; year++)
    document = await withNewKeys(document, Date.now() + year * 365 * 86_400_000)
  expect(document.sealing).toHaveLength(4)
  const much = new Secrets(document, { nowMs: () => Date.now() + 4 * 365 * 86_400_000 })
  expect(unseal(much, sealed, 'registry:1')).toBe('secret')
  expect(seal(much, 'secret', 'registry:1').split('.')[1]).toBe(document.sealing!.at(-1)!.id)
})

test('a document of an older version is taken, and completed', async () => {
  const old = parseSecrets(JSON.stringify(withoutSealing(await newSecrets())))
  const keys = new Secrets(old, clock)
  expect(() => seal(keys, 'secret', 'registry:1')).toThrow(/rotate/)
  const whole = completed(old)!
  expect(whole).toMatchObject({ session: old.session, signing: old.signing })
  expect(completed(whole)).toBeUndefined()
  keys.replace(whole)
  expect(unseal(keys, seal(keys, 'secret', 'registry:1'), 'registry:1')).toBe('secret')
})

function withoutSealing<T extends { sealing?: unknown }>({ sealing: _, ...document }: T): Omit<T, 'sealing'> {
  return document
}
