// Members of projects: users and groups, each with a role.
import { entityOf, presentMembers } from '../../access/member-entity.ts'
import {
  addMember,
  changeRole,
  listMembers,
  type Member,
  removeMember,
  requireMember,
} from '../../access/members.ts'
import { ROLE_NUMBERS } from '../../access/role-numbers.ts'
import type { Role } from '../../access/roles.ts'
import { RegistryError } from '../../oci/errors.ts'
import { memberDeed, noted } from '../../registry/audit-log.ts'
import type { Project } from '../../registry/projects.ts'
import type { HttpResponse } from '../message.ts'
import { answer, created, done } from './answers.ts'
import { type Fields, numberIn, objectIn, readFields, textIn } from './body.ts'
import { type HarborCall, type HarborRoute, requireProject } from './call.ts'
import { listAnswer, type Row } from './lists.ts'
import { numberOf } from './number-in-path.ts'

export const MEMBER_ROUTES: HarborRoute[] = [
  { method: 'GET', path: '/projects/{project}/members', run: list },
  { method: 'POST', path: '/projects/{project}/members', run: add },
  { method: 'GET', path: '/projects/{project}/members/{member}', run: show },
  { method: 'PUT', path: '/projects/{project}/members/{member}', run: update },
  { method: 'DELETE', path: '/projects/{project}/members/{member}', run: remove },
]

async function list(call: HarborCall): Promise<HttpResponse> {
  const project = await requireProject(call, 'member', 'list')
  const wanted = call.request.query.get('entityname') || undefined
  const members = await presentMembers(call.registry, await listMembers(call.registry, project))
  const kept = members.filter(({ name }) => wanted === undefined || name === wanted)
  return listAnswer(
    call.request,
    kept.map((member) => memberRow(project, member)),
  )
}

async function add(call: HarborCall): Promise<HttpResponse> {
  const project = await requireProject(call, 'member', 'create')
  const fields = await readFields(call.request)
  const role = roleIn(fields)
  const entity = await entityOf(call.registry, wantedIn(fields))
  const member = await addMember(call.registry, project, { ...entity, role })
  await note(call, 'create', project, member)
  return created(`/projects/${encodeURIComponent(call.params.project!)}/members/${member.number}`)
}

/** Terraform sends the one it does not mean as an empty object. */
function wantedIn(fields: Fields) {
  const [user, group] = [objectIn(fields, 'member_user'), objectIn(fields, 'member_group')]
  return {
    user: { ...given('number', numberIn(user, 'user_id')), name: textIn(user, 'username') },
    group: {
      ...given('number', numberIn(group, 'id')),
      ...given('type', numberIn(group, 'group_type')),
      name: textIn(group, 'group_name'),
      ldapDn: textIn(group, 'ldap_group_dn'),
    },
  }
}

function given<Name extends string>(name: Name, value: number | undefined): { [Key in Name]?: number } {
  return (value === undefined ? {} : { [name]: value }) as { [Key in Name]?: number }
}

function roleIn(fields: Fields): Role {
  const number = numberIn(fields, 'role_id')
  const known = Object.entries(ROLE_NUMBERS).find(([, each]) => each === number)
  if (known) return known[0] as Role
  const names = Object.entries(ROLE_NUMBERS).map(([role, each]) => `${each} ${role}`)
  throw new RegistryError(
    'REQUEST_INVALID',
    `role_id ${number ?? 'is missing'}: expected ${names.join(', ')}`,
  )
}

async function show(call: HarborCall): Promise<HttpResponse> {
  const project = await requireProject(call, 'member', 'read')
  return answer(200, memberRow(project, await presentMember(call, project)))
}

/** Project administrators may give up their own role, as in Harbor: a system administrator can give it back. */
async function update(call: HarborCall): Promise<HttpResponse> {
  const project = await requireProject(call, 'member', 'update')
  const member = await presentMember(call, project)
  const role = roleIn(await readFields(call.request))
  if (role !== member.role) await changeRole(call.registry, project, member, role)
  await note(call, 'update', project, member)
  return done()
}

async function remove(call: HarborCall): Promise<HttpResponse> {
  const project = await requireProject(call, 'member', 'delete')
  const member = await presentMember(call, project)
  await removeMember(call.registry, project, member)
  await note(call, 'delete', project, member)
  return done()
}

function note(
  call: HarborCall,
  operation: 'create' | 'update' | 'delete',
  project: Project,
  member: Member,
): Promise<void> {
  return noted(call, memberDeed(operation, project, member))
}

async function presentMember(call: HarborCall, project: Project): Promise<Member> {
  const member = await requireMember(call.registry, project, numberOf(call, 'member'))
  return (await presentMembers(call.registry, [member]))[0] ?? member
}

function memberRow(project: Project, member: Member): Row {
  return {
    id: member.number,
    project_id: project.number,
    entity_id: member.entity,
    entity_name: member.name,
    entity_type: member.kind === 'user' ? 'u' : 'g',
    role_id: ROLE_NUMBERS[member.role],
    role_name: member.role,
  }
}
