// Configuration: what administrators set for the whole registry while it runs, under Harbor's names.
import { RegistryError } from '../oci/errors.ts'
import { keys } from './keys.ts'
import type { Item, Json } from './ports.ts'
import type { Registry } from './registry.ts'

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
 * @throws REQUEST_INVALID naming the key whose value is of another type
 */
export async function changeConfiguration(
  registry: Registry,
  changes: Record<string, unknown>,
): Promise<Configuration> {
  const fresh: Record<string, Json> = {}
  for (const [key, value] of Object.entries(changes)) {
    if (!Object.hasOwn(CONFIGURATION_DEFAULTS, key)) continue
    const expected = typeof CONFIGURATION_DEFAULTS[key as ConfigurationKey]
    // Terraform and old clients send numbers and booleans as text now and then.
    const given = expected === 'string' ? value : parsed(value)
    if (typeof given !== expected || (typeof given === 'string' && given.length > 4096))
      throw new RegistryError('REQUEST_INVALID', `the value of ${key} must be a ${expected}`)
    fresh[key] = given as ConfigurationValue
  }
  const item = await registry.metadata.get(keys.configuration)
  const values = { ...(item?.attributes.values as Record<string, Json> | undefined), ...fresh }
  await registry.metadata.batchWrite([
    { kind: 'put', item: { ...keys.configuration, attributes: { v: 1, values } } },
  ])
  return { ...CONFIGURATION_DEFAULTS, ...(values as Partial<Configuration>) }
}

function parsed(value: unknown): unknown {
  if (typeof value !== 'string' || !/^(true|false|-?\d{1,15})$/.test(value)) return value
  return JSON.parse(value)
}
