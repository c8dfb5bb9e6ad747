// User groups: of a directory or an identity provider, to be members of projects.
import {
  createGroup,
  deleteGroup,
  type Group,
  listGroups,
  renameGroup,
  requireGroup,
} from '../../access/groups.ts'
import { RegistryError } from '../../oci/errors.ts'
import { noted } from '../../registry/audit-log.ts'
import type { HttpResponse } from '../message.ts'
import { answer, created, done } from './answers.ts'
import { numberIn, readFields, textIn } from './body.ts'
import { type HarborCall, type HarborRoute, requireLogin, requireSystem } from './call.ts'
import { listAnswer, type Row } from './lists.ts'
import { numberOf } from './number-in-path.ts'

export const GROUP_ROUTES: HarborRoute[] = [
  { method: 'GET', path: '/usergroups', run: list },
  { method: 'POST', path: '/usergroups', run: create },
  { method: 'GET', path: '/usergroups/search', run: search },
  { method: 'GET', path: '/usergroups/{group}', run: show },
  { method: 'PUT', path: '/usergroups/{group}', run: rename },
  { method: 'DELETE', path: '/usergroups/{group}', run: remove },
]

async function list(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, 'user-group', 'list')
  const { query } = call.request
  const [name, dn] = [query.get('group_name') ?? '', query.get('ldap_group_dn') ?? '']
  const groups = (await named(call, name)).filter(({ ldapDn }) => dn === '' || ldapDn === dn)
  return listAnswer(call.request, groups.map(groupRow))
}

/** For choosing members, so for everybody who is logged in. */
async function search(call: HarborCall): Promise<HttpResponse> {
  requireLogin(call)
  const name = call.request.query.get('groupname') ?? ''
  if (name === '')
    throw new RegistryError('REQUEST_INVALID', 'need to provide groupname to search user group')
  const rows = (await named(call, name)).map(groupRow).map(({ ldap_group_dn: _, ...row }) => row)
  return listAnswer(call.request, rows)
}

async function named({ registry }: HarborCall, part: string): Promise<Group[]> {
  const groups = await listGroups(registry)
  return groups.filter(({ name }) => name.toLowerCase().includes(part.toLowerCase()))
}

async function create(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, 'user-group', 'create')
  const fields = await readFields(call.request)
  const group = await createGroup(call.registry, {
    name: textIn(fields, 'group_name'),
    type: numberIn(fields, 'group_type') ?? 0,
    ldapDn: textIn(fields, 'ldap_group_dn'),
  })
  await noted(call, { operation: 'create', resourceType: 'user-group', resource: group.name })
  return created(`/usergroups/${group.number}`)
}

async function show(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, 'user-group', 'read')
  return answer(200, groupRow(await requireGroup(call.registry, numberOf(call, 'group'))))
}

/** Only the name changes: type and directory name say which group it is. */
async function rename(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, 'user-group', 'update')
  const name = textIn(await readFields(call.request), 'group_name')
  await renameGroup(call.registry, numberOf(call, 'group'), name)
  await noted(call, { operation: 'update', resourceType: 'user-group', resource: name })
  return done()
}

async function remove(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, 'user-group', 'delete')
  const group = await requireGroup(call.registry, numberOf(call, 'group'))
  await deleteGroup(call.registry, group.number)
  await noted(call, { operation: 'delete', resourceType: 'user-group', resource: group.name })
  return done()
}

function groupRow({ number, name, type, ldapDn }: Group): Row {
  return { id: number, group_name: name, group_type: type, ldap_group_dn: ldapDn || undefined }
}
