// The setup function asked by hand.
import { beforeEach, expect, test, vi } from 'vitest'
import { Passwords } from '../../../lib/access/passwords.ts'
import { ensureAdmin } from '../../../lib/access/users.ts'
import { configSchema } from '../../../lib/config/schema.ts'
import { runSetup } from '../../../lib/functions/setup-function.ts'
import { type TestRegistry, testRegistry } from '../../domain/registry.ts'

const SETTINGS = { config: configSchema.parse({}), adminPassword: 'arn:password' }
const world = vi.hoisted(() => ({ secret: '', registry: undefined as unknown, closed: 0 }))

vi.mock('../../../lib/aws/secrets-manager.ts', () => ({ readSecretText: async () => world.secret }))
vi.mock('../../../lib/aws/open-stores.ts', () => ({
  openRegistry: () => ({
    registry: world.registry,
    close: () => {
      world.closed += 1
    },
  }),
}))

let registry: TestRegistry
beforeEach(async () => {
  vi.spyOn(console, 'log').mockImplementation(() => {})
  registry = await testRegistry()
  Object.assign(world, { secret: 'second-12345', registry, closed: 0 })
})
const opens = async (password: string) =>
  (await new Passwords(registry).verify('admin', password, '192.0.2.7')) !== undefined

test('{"task":"password"} has the secret’s password count at once, and no other', async () => {
  await ensureAdmin(registry, 'first-12345')
  await runSetup({ task: 'password' }, SETTINGS)
  expect(await opens('second-12345')).toBe(true)
  expect(await opens('first-12345')).toBe(false)
  expect(world.closed).toBe(1)
})

test('the password is in no line of the log', async () => {
  await runSetup({ task: 'password' }, SETTINGS)
  expect(JSON.stringify(vi.mocked(console.log).mock.calls)).not.toContain(world.secret)
})

test('an event that it does not know is refused, naming those it does', async () => {
  for (const event of [{}, null, { task: 'other' }])
    await expect(runSetup(event, SETTINGS)).rejects.toThrow(/rotate.*password/)
})
