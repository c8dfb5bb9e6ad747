// Who the clients are: the administrator, or with TEST_LOGIN a user with a role, or a robot with three rights.
import { managementOf } from '../twin/management.ts'

export interface ClientLogin {
  name: string
  password: string
}

/** Whether the clients may what only administrators may. */
export const AS_ADMIN = (process.env.TEST_LOGIN ?? 'admin') === 'admin'

const PASSWORD = 'Client-password-1'
const ACTIONS = ['pull', 'push', 'delete']

/** @param url of a registry that has the project `library` */
export async function loginFor(url: string, adminPassword: string): Promise<ClientLogin> {
  const kind = process.env.TEST_LOGIN ?? 'admin'
  if (kind === 'admin') return { name: 'admin', password: adminPassword }
  const admin = managementOf({ url }, 'admin', adminPassword)
  const name = `client-${Date.now().toString(36)}-${process.pid}`
  if (kind === 'user') {
    const user = { username: name, email: `${name}@example.com`, realname: name, password: PASSWORD }
    await admin('POST', '/users', 201, user)
    const maintainer = { role_id: 4, member_user: { username: name } }
    await admin('POST', '/projects/library/members', 201, maintainer)
    return { name, password: PASSWORD }
  }
  if (kind !== 'robot') throw new Error(`TEST_LOGIN is ${kind}: admin, user or robot`)
  const access = ACTIONS.map((action) => ({ resource: 'repository', action }))
  const { json } = await admin('POST', '/robots', 201, {
    name,
    level: 'project',
    duration: 1,
    permissions: [{ kind: 'project', namespace: 'library', access }],
  })
  return { name: json.name, password: json.secret }
}
