// User groups: of a directory or an identity provider. Projects have them as members; who is in them the provider tells.
import { RegistryError } from '../oci/errors.ts'
import { keys, partitions } from '../registry/keys.ts'
import { nextNumber } from '../registry/numbers.ts'
import type { Item } from '../registry/ports.ts'
import { number, type Registry, text } from '../registry/registry.ts'

export const GROUP_TYPES = { ldap: 1, http: 2, oidc: 3 } as const

export interface Group {
  number: number
  name: string
  /** As Harbor numbers them: 1 LDAP, 2 HTTP, 3 OIDC (Cognito's too). */
  type: number
  /** The distinguished name in the directory; empty for other types. */
  ldapDn: string
}

const NAME_LIMIT = 255

/** @throws REQUEST_INVALID; CONFLICT when there is such a group */
export async function createGroup(registry: Registry, group: Omit<Group, 'number'>): Promise<Group> {
  if (!Object.values<number>(GROUP_TYPES).includes(group.type))
    throw invalid(`group_type ${group.type} is not known: 1 LDAP, 2 HTTP, 3 OIDC`)
  if (group.type === GROUP_TYPES.ldap && group.ldapDn === '')
    throw invalid('a group of a directory needs its distinguished name: ldap_group_dn')
  checkName(group.name)
  const known = await findGroup(registry, group)
  if (known) throw new RegistryError('CONFLICT', `a user group named ${group.name} exists already`)
  const assigned = await nextNumber(registry, 'group')
  await write(registry, { ...group, number: assigned })
  return { ...group, number: assigned }
}

/** By distinguished name in a directory, by name elsewhere. */
export async function findGroup(
  registry: Registry,
  { type, name, ldapDn }: Omit<Group, 'number'>,
): Promise<Group | undefined> {
  const same =
    type === GROUP_TYPES.ldap ? (each: Group) => each.ldapDn === ldapDn : (each: Group) => each.name === name
  return (await listGroups(registry)).find((each) => each.type === type && same(each))
}

/** @throws NOT_FOUND */
export async function requireGroup(registry: Registry, groupNumber: number): Promise<Group> {
  const item = await registry.metadata.get(keys.group(groupNumber))
  if (!item) throw new RegistryError('NOT_FOUND', `user group ${groupNumber} not found`)
  return groupOf(item)
}

export async function listGroups(registry: Registry): Promise<Group[]> {
  const groups: Group[] = []
  for (;;) {
    const after = groups.length === 0 ? {} : { after: keys.group(groups.at(-1)!.number).sk }
    const items = await registry.metadata.query({ pk: partitions.groups, limit: 1000, ...after })
    groups.push(...items.map(groupOf))
    if (items.length < 1000) return groups
  }
}

/** @throws NOT_FOUND, REQUEST_INVALID */
export async function renameGroup(registry: Registry, groupNumber: number, name: string): Promise<void> {
  checkName(name)
  await write(registry, { ...(await requireGroup(registry, groupNumber)), name })
}

/** Memberships of it count no more: nobody is in a group that does not exist. @throws NOT_FOUND */
export async function deleteGroup(registry: Registry, groupNumber: number): Promise<void> {
  await requireGroup(registry, groupNumber)
  await registry.metadata.batchWrite([{ kind: 'delete', key: keys.group(groupNumber) }])
}

async function write(registry: Registry, { number: assigned, ...group }: Group): Promise<void> {
  await registry.metadata.batchWrite([
    { kind: 'put', item: { ...keys.group(assigned), attributes: { v: 1, number: assigned, ...group } } },
  ])
}

function groupOf(item: Item): Group {
  return {
    number: number(item, 'number'),
    name: text(item, 'name'),
    type: number(item, 'type'),
    ldapDn: text(item, 'ldapDn'),
  }
}

function checkName(name: string): void {
  if (name.trim() === '' || name.length > NAME_LIMIT)
    throw invalid(`a group needs a name of at most ${NAME_LIMIT} characters`)
}

function invalid(why: string): RegistryError {
  return new RegistryError('REQUEST_INVALID', why)
}
