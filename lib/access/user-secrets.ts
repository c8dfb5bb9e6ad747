// What users log in with beside their password: a secret for command lines, which can be changed without it.
import { RegistryError } from '../oci/errors.ts'
import { changeItem } from '../registry/change-item.ts'
import { keys } from '../registry/keys.ts'
import type { Registry } from '../registry/registry.ts'
import { hashIn, hashPassword, matchesHash } from './password-hash.ts'
import { checkPassword } from './user-rules.ts'

/** The attribute of a user's item. */
export const CLI_SECRET = 'cliSecret'

/** The earlier one is void, and so are tokens. @throws NOT_FOUND, REQUEST_INVALID */
export async function setCliSecret(registry: Registry, name: string, secret: string): Promise<void> {
  checkPassword(secret)
  const hash = await hashPassword(secret)
  const now = registry.clock.nowMs()
  const item = await changeItem(registry, keys.user(name), (before) => ({
    ...before,
    [CLI_SECRET]: { ...hash },
    updatedAtMs: now,
    notBeforeSeconds: Math.floor(now / 1000),
  }))
  if (!item) throw new RegistryError('NOT_FOUND', `user ${name} not found`)
}

/** Whether it is the user's password; the secret for command lines does not count. */
export async function isPassword(registry: Registry, name: string, password: string): Promise<boolean> {
  const item = await registry.metadata.get(keys.user(name))
  return matchesHash(password, item && hashIn(item.attributes))
}
