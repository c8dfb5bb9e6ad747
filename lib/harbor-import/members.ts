// Members of projects: users by their names, groups by what they are called in their directory.
import { entityOf, presentMembers } from '../access/member-entity.ts'
import { addMember, changeRole, listMembers, type Member } from '../access/members.ts'
import { ROLE_NUMBERS } from '../access/role-numbers.ts'
import type { Role } from '../access/roles.ts'
import { RegistryError } from '../oci/errors.ts'
import { memberDeed } from '../registry/audit-log.ts'
import type { Project } from '../registry/projects.ts'
import { type Fields, numberIn, textIn } from './fields.ts'
import type { Import } from './import.ts'
import { differing, settle } from './outcome.ts'
import { type People, userNamed } from './people.ts'
import type { Both } from './projects.ts'

interface SourceMember {
  kind: Member['kind']
  name: string
  /** Of the user or group there. */
  entity: number
  role: Role | undefined
}

/** @throws HarborApiError */
export async function bringMembers(context: Import, { there, here }: Both, people: People): Promise<void> {
  const { registry, source, createUsers, report } = context
  const wanted = (await source.all(`/projects/${there.number}/members`)).map(memberIn)
  const present = here ? await presentMembers(registry, await listMembers(registry, here)) : []
  for (const member of wanted) {
    const name = `${there.name} ${member.kind} ${member.name}`
    if (member.kind === 'user' && !(await userNamed(context, member.name, people)) && !createUsers) {
      const why = `nobody here is called ${member.name}: they log in once, or are made with --create-users`
      report({ kind: 'member', name, state: 'failed', why })
      continue
    }
    const same = (each: Member) =>
      each.kind === member.kind && each.name.toLowerCase() === member.name.toLowerCase()
    const found = present.find(same)
    await settle(context, {
      kind: 'member',
      name,
      differences: found && differing('the role', member.role, found.role),
      create: () => add(context, here!, member, people),
      ...(found ? { change: () => changeRole(registry, here!, found, required(member)) } : {}),
      deed: () => {
        const { operation: _, ...deed } = memberDeed(found ? 'update' : 'create', here!, member)
        return deed
      },
    })
  }
}

async function add(context: Import, project: Project, member: SourceMember, people: People): Promise<void> {
  const { registry } = context
  const role = required(member)
  const none = { number: 0, name: '', ldapDn: '' }
  const group = people.groups.get(member.entity) ?? { name: member.name, type: 0, ldapDn: '' }
  const wanted =
    member.kind === 'user' ? { user: { name: member.name }, group: none } : { user: { name: '' }, group }
  const entity = await entityOf(registry, wanted)
  await addMember(registry, project, { ...entity, role })
}

function memberIn(row: Fields): SourceMember {
  const number = numberIn(row, 'role_id')
  const known = Object.entries(ROLE_NUMBERS).find(([, each]) => each === number)
  return {
    kind: textIn(row, 'entity_type') === 'g' ? 'group' : 'user',
    name: textIn(row, 'entity_name'),
    entity: numberIn(row, 'entity_id') ?? 0,
    role: known?.[0] as Role | undefined,
  }
}

/** @throws REQUEST_INVALID */
function required({ role, name }: SourceMember): Role {
  if (role === undefined)
    throw new RegistryError('REQUEST_INVALID', `${name} has a role there that is not known here`)
  return role
}
