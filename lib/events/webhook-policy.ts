// A webhook policy: which events of a project are told to whom, and how. Its secrets are sealed.
import { type SealingKeys, seal, unseal } from '../access/sealing.ts'
import { RegistryError } from '../oci/errors.ts'
import { globOf, patternFault } from '../registry/glob.ts'
import { isWebhookEvent, type WebhookEvent } from './webhook-events.ts'

/** `teams` is ours: a card for a workflow of Microsoft Teams. */
export const TARGET_TYPES = ['http', 'slack', 'teams'] as const
export type TargetType = (typeof TARGET_TYPES)[number]

/** What an `http` target is sent. */
export const PAYLOAD_FORMATS = ['Default', 'CloudEvents'] as const
export type PayloadFormat = (typeof PAYLOAD_FORMATS)[number]

export interface WebhookTarget {
  type: TargetType
  address: string
  /** `''` for types that have one format. */
  format: PayloadFormat | ''
  skipCertVerify: boolean
  /** The Authorization header, sealed; empty for none. */
  sealedAuthHeader: string
}

export interface WebhookPolicy {
  number: number
  projectId: string
  name: string
  description: string
  enabled: boolean
  events: WebhookEvent[]
  targets: WebhookTarget[]
  /** Of the name behind the project's; empty for all. */
  repositoryFilter: string
  /** Empty for all, untagged artifacts too. */
  tagFilter: string
  /** What bodies are signed with, sealed; empty for none. */
  sealedSecret: string
  creator: string
  /** As whoever saved it addressed the registry, `https://registry.example`: payloads name artifacts by it; empty where that is not known. */
  origin: string
  createdAtMs: number
  updatedAtMs: number
}

/** What people write, secrets in the clear. */
export interface PolicyText {
  name: string
  description: string
  enabled: boolean
  events: string[]
  targets: TargetText[]
}

export interface TargetText {
  type: string
  address: string
  format: string
  skipCertVerify: boolean
  authHeader: string
}

/** What Harbor's policies do not have. */
export interface PolicyOptions {
  repositoryFilter: string
  tagFilter: string
  secret: string
}

const NAME_LIMIT = 255
const DESCRIPTION_LIMIT = 1024
const ADDRESS_LIMIT = 2048
const SECRET_LIMIT = 4096
const TARGETS_LIMIT = 10

/** @throws REQUEST_INVALID naming what is wrong, in Harbor's words where it has some */
export function checkedPolicy(given: PolicyText): PolicyText & { events: WebhookEvent[] } {
  const { name, description, targets } = given
  if (name === '') throw invalid('name cannot be empty')
  if (name.length > NAME_LIMIT) throw invalid(`the name has more than ${NAME_LIMIT} characters`)
  if (description.length > DESCRIPTION_LIMIT)
    throw invalid(`the description has more than ${DESCRIPTION_LIMIT} characters`)
  if (given.events.length === 0) throw invalid('empty event type')
  const unknown = given.events.find((event) => !isWebhookEvent(event))
  if (unknown !== undefined) throw invalid(`unsupported event type ${unknown.slice(0, 64)}`)
  if (targets.length === 0) throw invalid(`empty notification target with policy ${name}`)
  if (targets.length > TARGETS_LIMIT) throw invalid(`a policy has at most ${TARGETS_LIMIT} targets`)
  return {
    ...given,
    events: [...new Set(given.events as WebhookEvent[])],
    targets: targets.map((target) => checkedTarget(target, name)),
  }
}

/** @throws REQUEST_INVALID */
export function checkedOptions<T extends Partial<PolicyOptions>>(given: T): T {
  checkPattern('repository_filter', given.repositoryFilter)
  checkPattern('tag_filter', given.tagFilter)
  if ((given.secret ?? '').length > SECRET_LIMIT)
    throw invalid(`the secret has more than ${SECRET_LIMIT} characters`)
  return given
}

function checkPattern(name: string, pattern = ''): void {
  const fault = patternFault(pattern)
  if (fault !== undefined) throw invalid(`${name} ${fault}`)
}

function checkedTarget(given: TargetText, policy: string): TargetText {
  const { type, format, authHeader } = given
  if (!TARGET_TYPES.some((each) => each === type))
    throw invalid(`unsupported target type ${type.slice(0, 64)} with policy ${policy}`)
  if (type !== 'http' && format !== '') throw invalid(`set payload format is not allowed for ${type}`)
  if (format !== '' && !PAYLOAD_FORMATS.some((each) => each === format))
    throw invalid(`unsupported payload format type: ${format.slice(0, 64)}`)
  if (authHeader.length > SECRET_LIMIT || !/^[\t\x20-\x7e]*$/.test(authHeader))
    throw invalid(`auth_header is at most ${SECRET_LIMIT} printable characters of ASCII in one line`)
  return {
    ...given,
    address: checkedAddress(given.address),
    format: format || (type === 'http' ? 'Default' : ''),
  }
}

/** @returns the address as it was written, but for blanks around it and a scheme that is missing (http, as Harbor has it) */
function checkedAddress(given: string): string {
  const trimmed = given.trim()
  if (trimmed === '') throw invalid('the address of a target is empty')
  if (trimmed.length > ADDRESS_LIMIT) throw invalid(`an address has more than ${ADDRESS_LIMIT} characters`)
  const address = trimmed.includes('://') ? trimmed : `http://${trimmed}`
  if (!URL.canParse(address)) throw invalid(`${JSON.stringify(trimmed.slice(0, 200))} is no URL`)
  const { protocol, username, password } = new URL(address)
  if (protocol !== 'http:' && protocol !== 'https:')
    throw invalid(`the scheme ${protocol} of an address is not http or https`)
  if (username !== '' || password !== '')
    throw invalid('a login belongs into auth_header, not into the address')
  return address
}

export function sealedTarget(
  keys: SealingKeys,
  { authHeader, ...text }: TargetText,
  policy: number,
): WebhookTarget {
  const sealedAuthHeader = authHeader === '' ? '' : seal(keys, authHeader, placeOf(policy, 'auth'))
  return { ...(text as Omit<WebhookTarget, 'sealedAuthHeader'>), sealedAuthHeader }
}

export function sealedSecret(keys: SealingKeys, secret: string, policy: number): string {
  return secret === '' ? '' : seal(keys, secret, placeOf(policy, 'secret'))
}

/** @throws UNAVAILABLE when its key is gone */
export function authHeaderOf(keys: SealingKeys, { number }: WebhookPolicy, target: WebhookTarget): string {
  return opened(keys, target.sealedAuthHeader, placeOf(number, 'auth'))
}

/** @throws UNAVAILABLE when its key is gone */
export function secretOf(keys: SealingKeys, { number, sealedSecret: sealed }: WebhookPolicy): string {
  return opened(keys, sealed, placeOf(number, 'secret'))
}

function opened(keys: SealingKeys, sealed: string, place: string): string {
  if (sealed === '') return ''
  try {
    return unseal(keys, sealed, place)
  } catch (cause) {
    throw new RegistryError(
      'UNAVAILABLE',
      'a secret of this webhook policy cannot be opened with this registry’s keys: set it again',
      { cause },
    )
  }
}

function placeOf(policy: number, what: string): string {
  return `webhook:${policy}:${what}`
}

/** @param repository its name without the project. @param tags that the event is about; none for an untagged artifact */
export function passesFilters(policy: WebhookPolicy, repository: string, tags: readonly string[]): boolean {
  if (!globOf(policy.repositoryFilter)(repository)) return false
  return policy.tagFilter === '' || tags.some(globOf(policy.tagFilter))
}

function invalid(why: string): RegistryError {
  return new RegistryError('REQUEST_INVALID', why)
}
