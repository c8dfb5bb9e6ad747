// Whom a membership is for, however it was named; and what they are called now.
import { RegistryError } from '../oci/errors.ts'
import { keys } from '../registry/keys.ts'
import type { Registry } from '../registry/registry.ts'
import { createGroup, findGroup, GROUP_TYPES, type Group, listGroups, requireGroup } from './groups.ts'
import type { Member, NewMember } from './members.ts'
import { findUser, requireUser } from './users.ts'

/** What is given of them: numbers count before names, and users before groups. */
export interface WantedEntity {
  user: { number?: number; name: string }
  group: { number?: number; name: string; type?: number; ldapDn: string }
}

type Entity = Pick<NewMember, 'kind' | 'entity' | 'name'>

/**
 * Groups that are not known yet are made: a provider may know them, and their members come with their logins.
 * @throws REQUEST_INVALID when nobody is named, or by a number nobody has; NOT_FOUND for a name
 */
export async function entityOf(registry: Registry, { user, group }: WantedEntity): Promise<Entity> {
  if (user.number) return asUser(await known(requireUser(registry, user.number)))
  if (group.number) return asGroup(await known(requireGroup(registry, group.number)))
  if (user.name !== '') {
    const found = await findUser(registry, user.name)
    if (!found) throw new RegistryError('NOT_FOUND', `user ${user.name} is not found`)
    return asUser(found)
  }
  if (group.name === '' && group.ldapDn === '')
    throw new RegistryError('REQUEST_INVALID', 'at least one of member_user or member_group must be provided')
  return asGroup((await knownGroup(registry, group)) ?? (await newGroup(registry, group)))
}

/** A number in the body that nobody has is bad input; what is not found is only what the path names. As in Harbor. */
function known<T>(looked: Promise<T>): Promise<T> {
  return looked.catch((error: unknown) => {
    if (!(error instanceof RegistryError && error.code === 'NOT_FOUND')) throw error
    throw new RegistryError('REQUEST_INVALID', error.message)
  })
}

async function knownGroup(registry: Registry, wanted: WantedEntity['group']): Promise<Group | undefined> {
  const { ldapDn, name } = wanted
  if (ldapDn !== '') return findGroup(registry, { type: GROUP_TYPES.ldap, name, ldapDn })
  const groups = await listGroups(registry)
  return groups.find(({ type, ...each }) => each.name === name && (!wanted.type || type === wanted.type))
}

function newGroup(registry: Registry, { name, type, ldapDn }: WantedEntity['group']): Promise<Group> {
  if (ldapDn !== '')
    return createGroup(registry, { name: name || ldapDn.slice(0, 255), type: GROUP_TYPES.ldap, ldapDn })
  return createGroup(registry, { name, type: type || GROUP_TYPES.oidc, ldapDn })
}

function asUser({ number, name }: { number: number; name: string }): Entity {
  return { kind: 'user', entity: number, name }
}

function asGroup({ number, name }: Group): Entity {
  return { kind: 'group', entity: number, name }
}

/** The members whose user or group there still is, under the names these have now, by name. */
export async function presentMembers(registry: Registry, members: Member[]): Promise<Member[]> {
  const present: Member[] = []
  for (let at = 0; at < members.length; at += 100) {
    const page = members.slice(at, at + 100)
    const items = await registry.metadata.batchGet(
      page.map(({ kind, entity }) => (kind === 'user' ? keys.userListing(entity) : keys.group(entity))),
    )
    for (const [index, member] of page.entries()) {
      const name = items[index]?.attributes.name
      if (typeof name === 'string') present.push({ ...member, name })
    }
  }
  return present.sort((one, other) => (one.name < other.name ? -1 : Number(one.name > other.name)))
}
