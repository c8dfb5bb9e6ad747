// Scanners that are not built in: services with Harbor's scanner API, as administrators register them. Their credentials
// are sealed.
import { type SealingKeys, seal, unseal } from '../access/sealing.ts'
import { RegistryError } from '../oci/errors.ts'
import type { Attributes, Item } from '../registry/ports.ts'

/** How we log in there: `APIKey` is the header X-ScannerAdapter-API-Key. */
const AUTHS = ['', 'Basic', 'Bearer', 'APIKey'] as const

export type ScannerAuth = (typeof AUTHS)[number]

/** What people write; the credential in the clear. */
export interface RegistrationText {
  name: string
  description: string
  /** Below it is `/api/v1`. */
  url: string
  auth: string
  /** Of Basic: `name:password`. */
  accessCredential: string
  skipCertVerify: boolean
  /** The scanner is told the address this registry listens on, instead of its external URL. */
  useInternalAddr: boolean
  disabled: boolean
}

export interface Registration extends Omit<RegistrationText, 'accessCredential' | 'auth'> {
  /** A UUID. */
  id: string
  auth: ScannerAuth
  /** Empty for none. */
  sealedCredential: string
  createdAtMs: number
  updatedAtMs: number
}

/** What it takes to call it. */
export interface ScannerAddress {
  url: string
  auth: ScannerAuth
  credential: string
  skipCertVerify: boolean
}

const NAME_LIMIT = 128
const DESCRIPTION_LIMIT = 1024
const URL_LIMIT = 512
const CREDENTIAL_LIMIT = 4096
/** The built-in one's. */
const RESERVED = 'Trivy'

/** @returns the same with its URL in order. @throws REQUEST_INVALID in Harbor's words */
export function checkedRegistration(given: RegistrationText): RegistrationText & { auth: ScannerAuth } {
  const { name, description, accessCredential } = given
  if (name === '') throw invalid('missing registration name')
  if (name.length > NAME_LIMIT || description.length > DESCRIPTION_LIMIT)
    throw invalid(`a name has at most ${NAME_LIMIT} characters, a description ${DESCRIPTION_LIMIT}`)
  if (name.toLowerCase() === RESERVED.toLowerCase())
    throw invalid(`name "${name}" is reserved, please try a different name`)
  const url = checkedUrl(given.url)
  const auth = authNamed(given.auth)
  if (auth === undefined) throw invalid(`auth type ${given.auth.slice(0, 40)} is not supported`)
  if (auth === '') return { ...given, url, auth, accessCredential: '' }
  if (accessCredential === '') throw invalid(`access_credential is required for auth type ${auth}`)
  if (accessCredential.length > CREDENTIAL_LIMIT || !/^[\x20-\x7e]+$/.test(accessCredential))
    throw invalid(`access_credential must be at most ${CREDENTIAL_LIMIT} printable characters of ASCII`)
  return { ...given, url, auth }
}

function authNamed(given: string): ScannerAuth | undefined {
  return AUTHS.find((each) => each === given)
}

function checkedUrl(given: string): string {
  const wrong = (why: string) => invalid(`scanner registration validate: ${why}`)
  const trimmed = given.trim().replace(/\/+$/, '')
  if (trimmed === '') throw wrong('empty string')
  if (trimmed.length > URL_LIMIT) throw wrong(`the URL has more than ${URL_LIMIT} characters`)
  const text = trimmed.includes('://') ? trimmed : `http://${trimmed}`
  if (!URL.canParse(text) || !/^[\x21-\x7e]+$/.test(text))
    throw wrong(`invalid URL: ${JSON.stringify(trimmed.slice(0, 200))}`)
  const { protocol, username, password, search, hash } = new URL(text)
  if (protocol !== 'http:' && protocol !== 'https:')
    throw wrong(`invalid HTTP scheme: ${protocol.slice(0, -1)}`)
  if (username !== '' || password !== '') throw wrong('a login belongs into access_credential')
  if (search !== '' || hash !== '') throw wrong('the URL has a query or fragment')
  return text
}

export function sealedRegistration(
  keys: SealingKeys,
  { accessCredential, ...text }: RegistrationText & { auth: ScannerAuth },
  rest: Pick<Registration, 'id' | 'createdAtMs' | 'updatedAtMs'>,
): Registration {
  const sealedCredential = accessCredential === '' ? '' : seal(keys, accessCredential, placeOf(rest.id))
  return { ...text, ...rest, sealedCredential }
}

/** @throws UNAVAILABLE when the key of its credential is gone */
export function credentialOf(
  keys: SealingKeys,
  { id, name, sealedCredential }: Pick<Registration, 'id' | 'name' | 'sealedCredential'>,
): string {
  if (sealedCredential === '') return ''
  try {
    return unseal(keys, sealedCredential, placeOf(id))
  } catch (cause) {
    throw new RegistryError(
      'UNAVAILABLE',
      `the credential of scanner ${name} cannot be opened with this registry’s keys: set it again`,
      { cause },
    )
  }
}

/** @throws UNAVAILABLE */
export function addressOf(keys: SealingKeys, registration: Registration): ScannerAddress {
  const { url, auth, skipCertVerify } = registration
  return { url, auth, skipCertVerify, credential: credentialOf(keys, registration) }
}

export function registrationIn(item: Item | undefined): Registration | undefined {
  if (!item) return undefined
  const { v: _, gen: __, ...registration } = item.attributes
  return registration as unknown as Registration
}

export function attributesOf(registration: Registration, gen: string): Attributes {
  return { v: 1, gen, ...registration } as unknown as Attributes
}

function placeOf(id: string): string {
  return `scanner:${id}`
}

function invalid(why: string): RegistryError {
  return new RegistryError('REQUEST_INVALID', why)
}
