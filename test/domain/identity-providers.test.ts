// Users of an identity provider: made at their first login, with the groups and rights they have there by now.
import { expect, test } from 'vitest'
import { listGroups } from '../../lib/access/groups.ts'
import type { Identity, IdentityProvider } from '../../lib/access/identity-providers.ts'
import { addMember } from '../../lib/access/members.ts'
import { Passwords } from '../../lib/access/passwords.ts'
import { grantedActions } from '../../lib/access/permissions.ts'
import { changeUser, createUser, findUser } from '../../lib/access/users.ts'
import { findProject } from '../../lib/registry/projects.ts'
import { testRegistry } from './registry.ts'

const PASSWORD = 'Right-password-1'
const ADDRESS = '192.0.2.7'

/** A directory of our own making, which counts how often it is asked. */
function directory(people: Record<string, Partial<Identity>>, id = 'directory') {
  const asked: string[] = []
  const provider: IdentityProvider = {
    id,
    adminGroup: 'admins',
    verify: async (name, password) => {
      asked.push(name)
      const person = people[name]
      if (!person || password !== PASSWORD) return undefined
      return { name, email: `${name}@example.com`, realName: name, groups: [], ...person }
    },
  }
  return { provider, asked, people }
}

test('whoever the provider knows logs in, and is a user from then on', async () => {
  const registry = await testRegistry()
  const { provider, asked } = directory({ ann: { groups: ['team'] } })
  const passwords = new Passwords(registry, [provider])
  expect(await passwords.verify('ann', 'wrong', ADDRESS)).toBeUndefined()
  expect(await passwords.verify('bob', PASSWORD, ADDRESS)).toBeUndefined()
  const principal = await passwords.verify('ann', PASSWORD, ADDRESS)
  expect(principal).toMatchObject({ name: 'ann', kind: 'user', admin: false })
  expect(await findUser(registry, 'ann')).toMatchObject({ provider: 'directory', email: 'ann@example.com' })
  await passwords.verify('ann', PASSWORD, ADDRESS)
  const before = asked.length
  for (let login = 0; login < 20; login++) await passwords.verify('ann', PASSWORD, ADDRESS)
  expect(asked.length).toBe(before) // remembered: pulls in a row ask nobody
})

test('a group of the provider has a role in a project, and its members with it, until they leave it', async () => {
  const registry = await testRegistry()
  const { provider, people } = directory({ ann: { groups: ['team'] } })
  await new Passwords(registry, [provider]).verify('ann', PASSWORD, ADDRESS)
  const [team] = await listGroups(registry)
  const project = (await findProject(registry, 'library'))!
  await addMember(registry, project, { kind: 'group', entity: team!.number, name: 'team', role: 'developer' })
  const rights = async () => {
    const ann = await new Passwords(registry, [provider]).verify('ann', PASSWORD, ADDRESS)
    const asked = { type: 'repository', name: 'library/app', actions: ['pull', 'push', 'delete'] }
    return (await grantedActions(registry, ann!, asked)).actions
  }
  expect(await rights()).toEqual(['pull', 'push'])
  people.ann = { groups: [] }
  expect(await rights()).toEqual([])
})

test('the provider’s administrators are ours, as long as they are', async () => {
  const registry = await testRegistry()
  const { provider, people } = directory({ ann: { groups: ['admins'] } })
  expect(await new Passwords(registry, [provider]).verify('ann', PASSWORD, ADDRESS)).toMatchObject({
    admin: true,
  })
  people.ann = {}
  expect(await new Passwords(registry, [provider]).verify('ann', PASSWORD, ADDRESS)).toMatchObject({
    admin: false,
  })
})

test('a user with a password here is never somebody of the provider', async () => {
  const registry = await testRegistry()
  const { provider, asked } = directory({ ann: {} })
  await createUser(registry, { name: 'ann', email: 'a@b.c', password: 'Other-password-1' })
  const passwords = new Passwords(registry, [provider])
  expect(await passwords.verify('ann', PASSWORD, ADDRESS)).toBeUndefined()
  expect(await passwords.verify('robot$ann', PASSWORD, ADDRESS)).toBeUndefined()
  expect(asked).not.toContain('ann')
})

test('a user of one provider is not let in by another', async () => {
  const registry = await testRegistry()
  const one = directory({ ann: {} }, 'one')
  const other = directory({ ann: {} }, 'other')
  await new Passwords(registry, [one.provider]).verify('ann', PASSWORD, ADDRESS)
  expect(await new Passwords(registry, [other.provider]).verify('ann', PASSWORD, ADDRESS)).toBeUndefined()
})

test('whoever is disabled here does not come in by the provider', async () => {
  const registry = await testRegistry()
  const { provider } = directory({ ann: {} })
  await new Passwords(registry, [provider]).verify('ann', PASSWORD, ADDRESS)
  await changeUser(registry, 'ann', { disabled: true })
  expect(await new Passwords(registry, [provider]).verify('ann', PASSWORD, ADDRESS)).toBeUndefined()
})

test('an email that somebody else has here keeps nobody out', async () => {
  const registry = await testRegistry()
  const { provider } = directory({ ann: { email: 'taken@example.com' } })
  await createUser(registry, { name: 'bob', email: 'taken@example.com', password: 'Other-password-1' })
  expect(await new Passwords(registry, [provider]).verify('ann', PASSWORD, ADDRESS)).toMatchObject({
    name: 'ann',
  })
})
