// `entrepot user …`: people who log in with a password of ours.
import { randomBytes } from 'node:crypto'
import { changeUser, createUser, deleteUser, listUsers, setPassword } from '../access/users.ts'
import { noted } from '../registry/audit-log.ts'
import { type Operation, type OperationContext, one, parsed } from './operation.ts'

const PASSWORD = { password: { type: 'string' } } as const

export const USER_OPERATIONS: Record<string, Operation> = {
  'user create': {
    usage: 'user create NAME [--email EMAIL] [--real-name NAME] [--admin] [--password-stdin]',
    what: 'make a user; without a password one is made up and printed',
    run: async (context, args) => {
      const { positionals, values } = parsed(args, {
        ...PASSWORD,
        email: { type: 'string' },
        'real-name': { type: 'string' },
        admin: { type: 'boolean' },
      })
      const name = one(positionals)
      const password = values.password ?? newPassword()
      const realName = values['real-name'] ?? name
      const admin = values.admin === true
      await createUser(context.registry, { name, email: values.email ?? '', realName, admin, password })
      await noted(context, { operation: 'create', resourceType: 'user', resource: name })
      context.print(`created ${admin ? 'administrator' : 'user'} ${name}`)
      if (values.password === undefined) context.print(`password, shown only now: ${password}`)
      return 0
    },
  },
  'user list': {
    usage: 'user list',
    what: 'list users',
    run: async ({ registry, print }) => {
      for (const { name, email, admin, disabled, provider } of await listUsers(registry))
        print(
          [name, email || '-', admin ? 'admin' : 'user', disabled ? 'disabled' : 'enabled', provider].join(
            '\t',
          ),
        )
      return 0
    },
  },
  'user disable': {
    usage: 'user disable NAME',
    what: 'keep a user from logging in; what they push is refused within a second',
    run: (context, args) => setDisabled(context, one(args), true),
  },
  'user enable': {
    usage: 'user enable NAME',
    what: 'let a disabled user log in again',
    run: (context, args) => setDisabled(context, one(args), false),
  },
  'user password': {
    usage: 'user password NAME [--password-stdin]',
    what: 'set a user’s password; without one it is made up and printed',
    run: async (context, args) => {
      const { positionals, values } = parsed(args, PASSWORD)
      const name = one(positionals)
      const password = values.password ?? newPassword()
      await setPassword(context.registry, name, password)
      await noted(context, { operation: 'update', resourceType: 'user', resource: name })
      context.print(`${name} has a new password; tokens of the old one are void`)
      if (values.password === undefined) context.print(`password, shown only now: ${password}`)
      return 0
    },
  },
  'user delete': {
    usage: 'user delete NAME',
    what: 'delete a user with all memberships; what they pushed stays',
    run: async (context, args) => {
      const { name } = await deleteUser(context.registry, one(args))
      await noted(context, { operation: 'delete', resourceType: 'user', resource: name })
      context.print(`deleted user ${name}`)
      return 0
    },
  },
}

async function setDisabled(context: OperationContext, given: string, disabled: boolean): Promise<number> {
  const { name } = await changeUser(context.registry, given, { disabled })
  await noted(context, { operation: 'update', resourceType: 'user', resource: name })
  context.print(`${name} is ${disabled ? 'disabled' : 'enabled'}`)
  return 0
}

/** With every kind of character that is asked for, whatever the random ones are. */
function newPassword(): string {
  return `${randomBytes(18).toString('base64url')}aA1`
}
