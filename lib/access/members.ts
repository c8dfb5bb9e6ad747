// Members: users and groups with a role in a project. Kept by the project's name, so that one call reads the project and
// whoever asks; with the project's id, so that a later project of that name has none of them.
import { RegistryError } from '../oci/errors.ts'
import { changeItem } from '../registry/change-item.ts'
import { keys, partitions } from '../registry/keys.ts'
import { nextNumber } from '../registry/numbers.ts'
import type { Item } from '../registry/ports.ts'
import type { Project } from '../registry/projects.ts'
import { number, type Registry, text } from '../registry/registry.ts'
import { isRole, type Role } from './roles.ts'
import { changeUser } from './users.ts'

export interface Member {
  number: number
  kind: 'user' | 'group'
  /** Of the user or group. */
  entity: number
  /** Its name when it was added. */
  name: string
  role: Role
}

export interface NewMember {
  kind: Member['kind']
  entity: number
  name: string
  role: Role
}

const PAGE = 1000

/** @throws CONFLICT when it is a member already */
export async function addMember(registry: Registry, project: Project, member: NewMember): Promise<Member> {
  const key = keys.member(project.name, member.kind, member.entity)
  const existing = await registry.metadata.get(key)
  if (existing?.attributes.projectId === project.id)
    throw new RegistryError('CONFLICT', `${member.name} is a member of ${project.name} already`)
  const assigned = await nextNumber(registry, 'member')
  const attributes = {
    v: 1,
    gen: registry.newId(),
    number: assigned,
    projectId: project.id,
    ...member,
  }
  const gen = existing?.attributes.gen as string | undefined
  const outcome = await registry.metadata.transact([
    {
      kind: 'put',
      if: gen === undefined ? { kind: 'absent' } : { kind: 'equals', attributes: { gen } },
      item: { ...key, attributes },
    },
  ])
  if (!outcome.ok)
    throw new RegistryError('CONFLICT', `${member.name} is a member of ${project.name} already`)
  return { number: assigned, ...member }
}

/** In the order they were added. */
export async function listMembers(registry: Registry, project: Project): Promise<Member[]> {
  const members: Member[] = []
  let after: string | undefined
  for (;;) {
    const items = await registry.metadata.query({
      pk: partitions.members(project.name),
      limit: PAGE,
      ...(after === undefined ? {} : { after }),
    })
    for (const item of items) if (item.attributes.projectId === project.id) members.push(memberOf(item))
    if (items.length < PAGE) break
    after = items.at(-1)!.sk
  }
  return members.sort((one, other) => one.number - other.number)
}

/** @throws NOT_FOUND */
export async function requireMember(
  registry: Registry,
  project: Project,
  memberNumber: number,
): Promise<Member> {
  const found = (await listMembers(registry, project)).find((each) => each.number === memberNumber)
  if (!found)
    throw new RegistryError('NOT_FOUND', `the member ${memberNumber} is not found in project ${project.name}`)
  return found
}

/** Tokens that say more than the new role end at once. @throws NOT_FOUND */
export async function changeRole(
  registry: Registry,
  project: Project,
  member: Member,
  role: Role,
): Promise<void> {
  const key = keys.member(project.name, member.kind, member.entity)
  const item = await changeItem(registry, key, (before) => ({ ...before, role }))
  if (!item) throw new RegistryError('NOT_FOUND', `${member.name} is no member of ${project.name}`)
  await endTokens(registry, member)
}

export async function removeMember(registry: Registry, project: Project, member: Member): Promise<void> {
  await registry.metadata.batchWrite([
    { kind: 'delete', key: keys.member(project.name, member.kind, member.entity) },
  ])
  await endTokens(registry, member)
}

/** Of groups nobody knows who is in them: their tokens end with their half an hour. */
async function endTokens(registry: Registry, member: Member): Promise<void> {
  if (member.kind === 'group') return
  await changeUser(registry, member.name, { endTokens: true }).catch((error: unknown) => {
    if (!(error instanceof RegistryError && error.code === 'NOT_FOUND')) throw error
  })
}

export function memberOf(item: Item): Member {
  const role = text(item, 'role')
  if (!isRole(role)) throw new TypeError(`item ${item.pk} ${item.sk}: ${role} is no role`)
  return {
    number: number(item, 'number'),
    kind: text(item, 'kind') as Member['kind'],
    entity: number(item, 'entity'),
    name: text(item, 'name'),
    role,
  }
}
