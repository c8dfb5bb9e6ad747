// People: users and groups there, and users made here where somebody wants that.
import { randomBytes } from 'node:crypto'
import { createUser, findUser, type User } from '../access/users.ts'
import { numberIn, textIn } from './fields.ts'
import type { Import } from './import.ts'
import { part, settle } from './outcome.ts'
import type { SourceProject } from './projects.ts'

interface SourceUser {
  name: string
  email: string
  realName: string
  admin: boolean
}

interface SourceGroup {
  name: string
  type: number
  ldapDn: string
}

export interface People {
  /** By name in lower case. */
  users: Map<string, SourceUser>
  /** By their number there. */
  groups: Map<number, SourceGroup>
}

/** Makes them too where everything is brought, and told to. */
export async function readPeople(context: Import, projects: SourceProject[]): Promise<People> {
  const people: People = { users: new Map(), groups: new Map() }
  if (projects.length === 0 && context.only) return people
  await part(context, 'users', 'all', () => readUsers(context, people))
  await part(context, 'groups', 'all', () => readGroups(context, people))
  if (context.only === undefined && context.createUsers)
    for (const { name } of people.users.values()) await userNamed(context, name, people)
  return people
}

async function readUsers({ source, report }: Import, { users }: People): Promise<void> {
  for (const row of await source.all('/users')) {
    const name = textIn(row, 'username')
    const [email, realName] = [textIn(row, 'email'), textIn(row, 'realname')]
    users.set(name.toLowerCase(), { name, email, realName, admin: row.sysadmin_flag === true })
  }
  const mode = textIn(await source.get('/systeminfo'), 'auth_mode')
  if (!['', 'db_auth'].includes(mode))
    report({
      kind: 'users',
      name: 'all',
      state: 'note',
      why: `they log in by ${mode} there; here by what this registry is configured for`,
    })
}

async function readGroups({ source }: Import, { groups }: People): Promise<void> {
  for (const row of await source.all('/usergroups')) {
    const [name, ldapDn] = [textIn(row, 'group_name'), textIn(row, 'ldap_group_dn')]
    groups.set(numberIn(row, 'id') ?? 0, { name, type: numberIn(row, 'group_type') ?? 0, ldapDn })
  }
}

/** The user of that name, in whatever case; made when they are not here and users are to be made. */
export async function userNamed(context: Import, name: string, people: People): Promise<User | undefined> {
  const { registry, createUsers, writes, report } = context
  const found = await findUser(registry, name)
  if (found || !createUsers) return found
  const there = people.users.get(name.toLowerCase()) ?? { name, email: '', realName: name, admin: false }
  const password = newPassword()
  const state = await settle(context, {
    kind: 'user',
    name,
    differences: undefined,
    create: async () => {
      const { email, realName } = there
      await createUser(registry, { name: there.name, email, realName: realName || name, password })
    },
    deed: () => ({ resourceType: 'user', resource: name }),
  })
  if (state === 'brought') context.secret('user', there.name, password)
  if (there.admin)
    report({ kind: 'user', name, state: 'note', why: 'an administrator there, and a usual user here' })
  return writes ? findUser(registry, name) : undefined
}

/** With every kind of character that is asked for, whatever the random ones are. */
function newPassword(): string {
  return `${randomBytes(18).toString('base64url')}aA1`
}
