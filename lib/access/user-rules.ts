// What names, emails and passwords of users may be. Harbor's rules, and one more: names that look alike are the same name.
import { RegistryError } from '../oci/errors.ts'
import { PASSWORD_LIMIT } from './password-hash.ts'

const NAME_LIMIT = 255
/** Without what Harbor forbids (`,"~#%$`) and the colon, which ends the name in Basic; ASCII, so that no two look alike. */
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._@+ -]*[A-Za-z0-9_-])?$/
const EMAIL = /^[^\s@,"<>()]{1,64}@[^\s@,"<>()]{1,189}$/
const PASSWORD_LEAST = 8

/** @throws REQUEST_INVALID */
export function checkUserName(name: string): void {
  if (name.length > NAME_LIMIT) throw invalid(`the user name is longer than ${NAME_LIMIT} characters`)
  if (!NAME.test(name))
    throw invalid(
      `invalid user name ${JSON.stringify(name.slice(0, 80))}: letters and digits of ASCII, and . _ @ + - or blanks between them`,
    )
  if (/^robot[$-]/i.test(name))
    throw invalid('user names cannot begin as those of robots do: robot$ or robot-')
}

/** @throws REQUEST_INVALID */
export function checkEmail(email: string): void {
  if (email.length > 255 || !EMAIL.test(email))
    throw invalid(`invalid email ${JSON.stringify(email.slice(0, 80))}: expected name@domain`)
}

/** Harbor's rule, and a longest length so that nobody pays for hashing a megabyte. @throws REQUEST_INVALID */
export function checkPassword(password: string): void {
  const missing = [
    ...(password.length < PASSWORD_LEAST ? [`at least ${PASSWORD_LEAST} characters`] : []),
    ...(password.length > PASSWORD_LIMIT ? [`at most ${PASSWORD_LIMIT} characters`] : []),
    ...(/[a-z]/.test(password) ? [] : ['a lowercase letter']),
    ...(/[A-Z]/.test(password) ? [] : ['an uppercase letter']),
    ...(/[0-9]/.test(password) ? [] : ['a digit']),
  ]
  if (missing.length > 0) throw invalid(`the password needs ${missing.join(', ')}`)
}

function invalid(why: string): RegistryError {
  return new RegistryError('REQUEST_INVALID', why)
}
