// `entrepot member …`: who has which role in a project.
import { entityOf, presentMembers } from '../access/member-entity.ts'
import { addMember, changeRole, listMembers, type Member, removeMember } from '../access/members.ts'
import { isRole, ROLES, type Role } from '../access/roles.ts'
import { RegistryError } from '../oci/errors.ts'
import { memberDeed, noted } from '../registry/audit-log.ts'
import { findProject, type Project } from '../registry/projects.ts'
import type { Registry } from '../registry/registry.ts'
import { type Operation, type OperationContext, one, parsed, UsageError } from './operation.ts'

export const MEMBER_OPERATIONS: Record<string, Operation> = {
  'member add': {
    usage: `member add PROJECT NAME --role ROLE [--group]`,
    what: `give a user or group a role in a project, or another one: ${ROLES.join(', ')}`,
    run: async (context, args) => {
      const { positionals, values } = parsed(args, { role: { type: 'string' }, group: { type: 'boolean' } })
      const [projectName, name] = two(positionals)
      const role = roleOf(values.role)
      const { registry, print } = context
      const project = await requireNamed(registry, projectName)
      const entity = await entityOf(registry, wanted(name, values.group === true))
      const known = (await listMembers(registry, project)).find(
        (each) => each.kind === entity.kind && each.entity === entity.entity,
      )
      if (known) await changeRole(registry, project, known, role)
      else await addMember(registry, project, { ...entity, role })
      await note(context, known ? 'update' : 'create', project, entity)
      print(`${entity.name} has the role ${role} in ${project.name}`)
      return 0
    },
  },
  'member list': {
    usage: 'member list PROJECT',
    what: 'list who has which role in a project',
    run: async ({ registry, print }, args) => {
      const project = await requireNamed(registry, one(args))
      for (const { name, kind, role } of await membersOf(registry, project))
        print([name, kind, role].join('\t'))
      return 0
    },
  },
  'member remove': {
    usage: 'member remove PROJECT NAME [--group]',
    what: 'take a user’s or group’s role in a project away',
    run: async (context, args) => {
      const { positionals, values } = parsed(args, { group: { type: 'boolean' } })
      const [projectName, name] = two(positionals)
      const project = await requireNamed(context.registry, projectName)
      const kind = values.group ? 'group' : 'user'
      const same = (each: Member) => each.kind === kind && each.name.toLowerCase() === name.toLowerCase()
      const member = (await membersOf(context.registry, project)).find(same)
      if (!member) throw new RegistryError('NOT_FOUND', `the ${kind} ${name} has no role in ${project.name}`)
      await removeMember(context.registry, project, member)
      await note(context, 'delete', project, member)
      context.print(`${member.name} has no role in ${project.name} any more`)
      return 0
    },
  },
}

function wanted(name: string, isGroup: boolean) {
  return {
    user: { name: isGroup ? '' : name },
    group: { name: isGroup ? name : '', ldapDn: '' },
  }
}

function two(names: string[]): [string, string] {
  if (names.length !== 2) throw new UsageError('expected a project and a name')
  return names as [string, string]
}

function roleOf(given: string | undefined): Role {
  if (given !== undefined && isRole(given)) return given
  throw new UsageError(`--role is one of ${ROLES.join(', ')}`)
}

async function membersOf(registry: Registry, project: Project): Promise<Member[]> {
  return presentMembers(registry, await listMembers(registry, project))
}

/** @throws NAME_UNKNOWN */
async function requireNamed(registry: Registry, name: string): Promise<Project> {
  const project = await findProject(registry, name)
  if (!project) throw new RegistryError('NAME_UNKNOWN', `project ${name} does not exist`)
  return project
}

function note(
  context: OperationContext,
  operation: 'create' | 'update' | 'delete',
  project: Project,
  member: { kind: 'user' | 'group'; name: string },
): Promise<void> {
  return noted(context, memberDeed(operation, project, member))
}
