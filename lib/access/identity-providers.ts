// Identity providers: who checks passwords that are not ours (Cognito; directories and OIDC come here too).
import { RegistryError } from '../oci/errors.ts'
import type { Registry } from '../registry/registry.ts'
import { createGroup, GROUP_TYPES, listGroups } from './groups.ts'
import { changeUser, createUser, findUser, type User } from './users.ts'

export interface Identity {
  /** As it will be called here. */
  name: string
  email: string
  realName: string
  /** Names of the groups it is in. */
  groups: string[]
}

export interface IdentityProvider {
  /** Kept beside its users: another provider's user of the same name is somebody else. */
  readonly id: string
  /** Its members are administrators. */
  readonly adminGroup?: string
  /**
   * @returns undefined when name or password is wrong
   * @throws UNAUTHORIZED saying what the user has to do first; TOOMANYREQUESTS, UNAVAILABLE
   */
  verify(name: string, password: string): Promise<Identity | undefined>
}

const GROUPS_LIMIT = 90

/** The user behind an identity, made at its first login, with the groups and rights it has by now. */
export async function onboard(
  registry: Registry,
  provider: IdentityProvider,
  identity: Identity,
): Promise<User> {
  const groups = await groupNumbers(registry, identity.groups.slice(0, GROUPS_LIMIT))
  const admin = provider.adminGroup !== undefined && identity.groups.includes(provider.adminGroup)
  const existing = await findUser(registry, identity.name)
  if (!existing) return create(registry, provider, identity, groups, admin)
  if (existing.provider !== provider.id)
    throw new RegistryError(
      'UNAUTHORIZED',
      `there is another user named ${identity.name}, who logs in elsewhere`,
    )
  const same = existing.admin === admin && existing.groups.join() === groups.join()
  // Without a need nothing is written: every login of a pipeline comes through here.
  return same ? existing : changeUser(registry, existing.name, { groups, admin })
}

async function create(
  registry: Registry,
  provider: IdentityProvider,
  { name, email, realName }: Identity,
  groups: number[],
  admin: boolean,
): Promise<User> {
  try {
    return await createUser(registry, { name, email, realName, provider: provider.id, groups, admin })
  } catch (error) {
    const other = await findUser(registry, name) // another process was first
    if (other?.provider === provider.id) return other
    const taken = error instanceof RegistryError && error.code === 'CONFLICT' && !other
    if (!taken) throw error
    // Somebody else here has that email: it is no reason to keep this one out.
    return createUser(registry, { name, email: '', realName, provider: provider.id, groups, admin })
  }
}

/** Numbers of groups by their names, in order; unknown ones are made, so that projects can have them as members. */
async function groupNumbers(registry: Registry, names: string[]): Promise<number[]> {
  if (names.length === 0) return []
  const known = await listGroups(registry)
  const numbers: number[] = []
  for (const name of [...new Set(names)]) {
    const group =
      known.find((each) => each.type === GROUP_TYPES.oidc && each.name === name) ??
      (await createGroup(registry, { type: GROUP_TYPES.oidc, name, ldapDn: '' }))
    numbers.push(group.number)
  }
  return numbers.sort((one, other) => one - other)
}
