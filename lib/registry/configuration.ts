// Configuration: what administrators set for the whole registry while it runs, under Harbor's names.
import { RegistryError } from '../oci/errors.ts'
import { keys } from './keys.ts'
import type { Condition, Item, Json } from './ports.ts'
import type { Registry } from './registry.ts'

const ATTEMPTS = 20

export type ConfigurationValue = string | number | boolean

/** Every key that can be set, with the value it has until then; its type is the type it keeps. */
export const CONFIGURATION_DEFAULTS = {
  auth_mode: 'db_auth',
  primary_auth_mode: false,
  self_registration: false,
  project_creation_restriction: 'everyone',
  read_only: false,
  /** Minutes. */
  token_expiration: 30,
  /** Days. */
  robot_token_duration: 30,
  robot_name_prefix: 'robot$',
  /** Minutes. */
  session_timeout: 60,
  quota_per_project_enable: true,
  /** Bytes; -1 is no limit. */
  storage_per_project: -1,
  notification_enable: true,
  scanner_skip_update_pulltime: false,
  pull_count_update_disable: false,
  pull_time_update_disable: false,
  pull_audit_log_disable: false,
  audit_log_forward_endpoint: '',
  skip_audit_log_database: false,
  disabled_audit_log_event_types: '',
  banner_message: '',
  /** Which project stands for which other registry: `docker.io=hub,*=hub`; `*` for clients that name none. */
  proxy_mirrors: '',
  ldap_url: '',
  ldap_search_dn: '',
  ldap_search_password: '',
  ldap_base_dn: '',
  ldap_filter: '',
  ldap_uid: 'cn',
  ldap_scope: 2,
  ldap_timeout: 5,
  ldap_verify_cert: true,
  ldap_group_base_dn: '',
  ldap_group_search_filter: '',
  ldap_group_attribute_name: '',
  ldap_group_search_scope: 2,
  ldap_group_admin_dn: '',
  ldap_group_membership_attribute: 'memberof',
  ldap_group_attach_parallel: false,
  oidc_name: '',
  oidc_endpoint: '',
  oidc_client_id: '',
  oidc_client_secret: '',
  oidc_groups_claim: '',
  oidc_admin_group: '',
  oidc_group_filter: '',
  oidc_scope: '',
  oidc_user_claim: '',
  oidc_verify_cert: true,
  oidc_auto_onboard: false,
  oidc_extra_redirect_parms: '{}',
  oidc_logout: false,
} as const satisfies Record<string, ConfigurationValue>

export type ConfigurationKey = keyof typeof CONFIGURATION_DEFAULTS

type Widened<T> = T extends boolean ? boolean : T extends number ? number : string

export type Configuration = {
  -readonly [Key in ConfigurationKey]: Widened<(typeof CONFIGURATION_DEFAULTS)[Key]>
}

/** Never read back. */
export const SECRET_KEYS: ReadonlySet<string> = new Set(['ldap_search_password', 'oidc_client_secret'])

export async function readConfiguration(registry: Registry): Promise<Configuration> {
  return configurationIn(await registry.metadata.get(keys.configuration))
}

export function configurationIn(item: Item | undefined): Configuration {
  return { ...CONFIGURATION_DEFAULTS, ...(item?.attributes.values as Partial<Configuration> | undefined) }
}

/**
 * Sets the keys that are given; unknown ones are ignored, as Harbor does.
 * @throws REQUEST_INVALID naming the key whose value is of another type, or cannot be
 */
export async function changeConfiguration(
  registry: Registry,
  changes: Record<string, unknown>,
): Promise<Configuration> {
  const fresh = checkedValues(changes)
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const item = await registry.metadata.get(keys.configuration)
    const values = { ...(item?.attributes.values as Record<string, Json> | undefined), ...fresh }
    const gen = item?.attributes.gen
    const unchanged: Condition | undefined = !item
      ? { kind: 'absent' }
      : typeof gen === 'string'
        ? { kind: 'equals', attributes: { gen } }
        : undefined
    const outcome = await registry.metadata.transact([
      {
        kind: 'put',
        ...(unchanged ? { if: unchanged } : {}),
        item: { ...keys.configuration, attributes: { v: 1, gen: registry.newId(), values } },
      },
    ])
    if (outcome.ok) return { ...CONFIGURATION_DEFAULTS, ...(values as Partial<Configuration>) }
  }
  throw new RegistryError('UNAVAILABLE', 'too many change the configuration at once: try again')
}

function checkedValues(changes: Record<string, unknown>): Record<string, Json> {
  const fresh: Record<string, Json> = {}
  for (const [key, value] of Object.entries(changes)) {
    if (!isConfigurationKey(key)) continue
    const expected = typeof CONFIGURATION_DEFAULTS[key]
    // Terraform and old clients send numbers and booleans as text now and then.
    const given = expected === 'string' ? value : parsed(value)
    if (typeof given !== expected || (typeof given === 'string' && given.length > 4096))
      throw new RegistryError('REQUEST_INVALID', `the value of ${key} must be a ${expected}`)
    const wrong = RULES[key]?.(given as never)
    if (wrong) throw new RegistryError('REQUEST_INVALID', `the ${key} value ${wrong}`)
    fresh[key] = given as ConfigurationValue
  }
  return fresh
}

function isConfigurationKey(key: string): key is ConfigurationKey {
  return Object.hasOwn(CONFIGURATION_DEFAULTS, key)
}

/** @returns what is wrong with a value of the right type */
type Rule = (value: never) => string | undefined

const LARGEST = 9_999_999_999
const positive: Rule = (value: number) =>
  Number.isInteger(value) && value > 0 && value <= LARGEST ? undefined : `must be positive, up to ${LARGEST}`
const oneOf =
  (...allowed: string[]): Rule =>
  (value: string) =>
    allowed.includes(value) ? undefined : `must be one of ${allowed.join(', ')}`

const RULES: Partial<Record<ConfigurationKey, Rule>> = {
  auth_mode: oneOf('db_auth', 'ldap_auth', 'oidc_auth', 'http_auth', 'uaa_auth'),
  project_creation_restriction: oneOf('everyone', 'adminonly'),
  token_expiration: positive,
  robot_token_duration: positive,
  session_timeout: positive,
  ldap_timeout: positive,
  proxy_mirrors: (value: string) =>
    /^$|^[^\s,=]+=[a-z0-9._-]+(\s*,\s*[^\s,=]+=[a-z0-9._-]+)*$/.test(value)
      ? undefined
      : 'must be registries and the projects that stand for them: docker.io=hub,ghcr.io=ghcr,*=hub',
  storage_per_project: (value: number) =>
    Number.isSafeInteger(value) && (value === -1 || value > 0)
      ? undefined
      : 'must be -1, which is no limit, or a number of bytes',
  // It begins names that stand before a colon in logins, and in paths of people's shells.
  robot_name_prefix: (value: string) =>
    /^[!-9;-~]{1,64}$/.test(value)
      ? undefined
      : 'must have 1 to 64 visible characters of ASCII, and no colon',
}

function parsed(value: unknown): unknown {
  if (typeof value !== 'string' || !/^(true|false|-?\d{1,15})$/.test(value)) return value
  return JSON.parse(value)
}
