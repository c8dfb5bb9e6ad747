// What becomes of each key of Harbor's harbor.yml (2.13 to 2.15). A last part `*` stands for everything below.
import type { Config } from './schema.ts'

export type HarborYml = Record<string, unknown>

export type Fate =
  | { kind: 'unneeded'; because: string }
  | { kind: 'missing'; meanwhile?: string }
  /** Where a person puts it: a secret is never copied into a file or onto a screen. */
  | { kind: 'elsewhere'; place: string }

/** Settings of ours, or why there are none. */
type Mapping = (value: unknown, harbor: HarborYml) => Partial<Config> | Fate

const LEVELS: Record<string, Config['logLevel']> = {
  debug: 'debug',
  info: 'info',
  warning: 'warn',
  error: 'error',
  fatal: 'error',
}

const not = (because: string): Fate => ({ kind: 'unneeded', because })
const missing = (meanwhile?: string): Fate => ({
  kind: 'missing',
  ...(meanwhile === undefined ? {} : { meanwhile }),
})
const elsewhere = (place: string): Fate => ({ kind: 'elsewhere', place })

const NO_SQL_SERVER = not('metadata is in SQLite, in the cloud in DynamoDB: there is no server to log in to')
const NO_REDIS = not('there is no Redis')
const WEBHOOKS = not('a webhook is tried six times within eight minutes, waiting three seconds each time')
const NO_TRACES = missing('the log has an id for every request')
const NO_OUTGOING = missing('nothing is fetched from other registries, so nothing goes through a proxy')
const ONE_PROCESS = not('there is one process, and in the cloud AWS encrypts between its services')
const METRICS = not('/metrics is always there, on the port of the registry')
const SWEEPS = not('every sweep frees what unfinished uploads left (sweepEveryHours)')
const OTHER_LAYOUT = not(
  'Harbor’s bucket is laid out otherwise: name a new one with stores, bucket, table and secrets',
)
const LOG_FILES = not('the log begins a new file at 64 MiB and keeps five')
const NO_CACHE = not('a manifest is one read, and what may change is never cached')
const JOB_LOG = not('jobs write into the one log')
const FILES_OR_S3 = missing('bytes are in files or in S3')

export const HARBOR_KEYS: Record<string, Fate | Mapping> = {
  _version: not('only Harbor’s own upgrades read it'),
  hostname: (value, harbor) =>
    harbor.external_url
      ? not('external_url says where clients go')
      : { host: listenAddress(harbor), externalUrl: urlOf(String(value), harbor) },
  external_url: (value, harbor) => {
    const url = String(value)
    if (URL.canParse(url) && new URL(url).password !== '')
      return missing('it holds a password: set externalUrl without')
    return { host: listenAddress(harbor), externalUrl: url }
  },
  'http.port': (value, harbor) => (harbor.https ? { redirectHttp: Number(value) } : { port: Number(value) }),
  'https.port': (value) => ({ port: Number(value) }),
  'https.certificate': (value) => ({ tlsCert: String(value) }),
  'https.private_key': (value) => ({ tlsKey: String(value) }),
  'https.strong_ssl_ciphers': not('nothing older than TLS 1.2 is spoken'),
  'ip_family.ipv4.enabled': not('host is the address to listen on'),
  'ip_family.ipv6.enabled': (_value, harbor) => ({ host: listenAddress(harbor) }),
  'internal_tls.*': ONE_PROCESS,
  harbor_admin_password: elsewhere(
    'the variable ENTREPOT_ADMIN_PASSWORD, 8 characters or more; in the cloud the secret AdminPassword',
  ),
  'database.*': NO_SQL_SERVER,
  'external_database.*': NO_SQL_SERVER,
  'redis.*': NO_REDIS,
  'external_redis.*': NO_REDIS,
  // Harbor's own files stay beside ours, for as long as images are copied.
  data_volume: (value) => ({ data: `${String(value).replace(/\/+$/, '')}/entrepot` }),
  'storage_service.ca_bundle': elsewhere('the variable NODE_EXTRA_CA_CERTS; in the cloud cloud.trust'),
  'storage_service.filesystem.*': not('data names the directory'),
  'storage_service.s3.accesskey': elsewhere('the variable AWS_ACCESS_KEY_ID, or better a role'),
  'storage_service.s3.secretkey': elsewhere('the variable AWS_SECRET_ACCESS_KEY, or better a role'),
  'storage_service.s3.*': OTHER_LAYOUT,
  'storage_service.azure.*': FILES_OR_S3,
  'storage_service.gcs.*': FILES_OR_S3,
  'storage_service.swift.*': FILES_OR_S3,
  'storage_service.oss.*': FILES_OR_S3,
  'storage_service.redirect.disable': (value) => ({ redirectBlobs: value === true ? 'off' : 'on' }),
  'trivy.ignore_unfixed': (value) => ({ trivyIgnoreUnfixed: onOff(value) }),
  'trivy.skip_update': (value) => ({ trivySkipUpdate: onOff(value) }),
  'trivy.skip_java_db_update': not('trivySkipUpdate holds for both databases'),
  'trivy.db_repository': (value) => ({ trivyDbRepository: listed(value) }),
  'trivy.java_db_repository': (value) => ({ trivyJavaDbRepository: listed(value) }),
  'trivy.offline_scan': (value) => ({ trivyOffline: onOff(value) }),
  'trivy.security_check': (value) => ({ trivyChecks: listed(value).replaceAll(' ', '') }),
  'trivy.insecure': (value) => ({ trivyInsecure: onOff(value) }),
  'trivy.timeout': (value) => ({ trivyTimeoutSeconds: seconds(String(value)) }),
  'trivy.github_token': not('trivy’s databases come from OCI repositories, not from GitHub'),
  'jobservice.max_job_workers': not(
    'jobs run in the process, and in the cloud in up to cloud.workers.max tasks',
  ),
  'jobservice.max_job_duration_hours': not('a job whose worker went silent is given to another'),
  'jobservice.job_loggers': JOB_LOG,
  'jobservice.logger_sweeper_duration': JOB_LOG,
  'notification.webhook_job_max_retry': WEBHOOKS,
  'notification.webhook_job_http_client_timeout': WEBHOOKS,
  'network.allow_private_network_access': (value) =>
    value === true
      ? { upstreamPrivateNetworks: 'all' }
      : not('private addresses are refused unless upstreamPrivateNetworks allows them'),
  'log.level': (value) => {
    const logLevel = LEVELS[String(value)]
    return logLevel ? { logLevel } : missing('the levels are debug, info, warn, error and silent')
  },
  'log.local.rotate_count': LOG_FILES,
  'log.local.rotate_size': LOG_FILES,
  'log.local.location': not('the log is in logs/ of data'),
  'log.external_endpoint.*': missing('logTo: stdout hands the lines to whatever starts the registry'),
  'uaa.ca_file': missing('there is no login through UAA'),
  'proxy.*': NO_OUTGOING,
  'metric.enabled': METRICS,
  'metric.port': METRICS,
  'metric.path': METRICS,
  'trace.*': NO_TRACES,
  'upload_purging.enabled': SWEEPS,
  'upload_purging.age': SWEEPS,
  'upload_purging.interval': SWEEPS,
  'upload_purging.dryrun': SWEEPS,
  'cache.enabled': NO_CACHE,
  'cache.expire_hours': NO_CACHE,
  'core.quota_update_provider': not('usage is counted from events, outside of pushes'),
}

/** Harbor listens on every address of the family it is given. */
function listenAddress(harbor: HarborYml): string {
  const { ipv6 } = (harbor.ip_family ?? {}) as { ipv6?: { enabled?: boolean } }
  return ipv6?.enabled === true ? '::' : '0.0.0.0'
}

function urlOf(hostname: string, { http, https }: HarborYml): string {
  const [scheme, usual, { port }] = https
    ? (['https', 443, https as { port?: unknown }] as const)
    : (['http', 80, (http ?? {}) as { port?: unknown }] as const)
  return `${scheme}://${hostname}${Number(port) === usual ? '' : `:${port}`}`
}

function onOff(value: unknown): 'on' | 'off' {
  return value === true || value === 'true' ? 'on' : 'off'
}

/** A list, or a text with commas. */
function listed(value: unknown): string {
  return Array.isArray(value) ? value.join(',') : String(value)
}

/** Go's way to write a duration: `5m0s`. */
function seconds(duration: string): number {
  const units: Record<string, number> = { h: 3600, m: 60, s: 1 }
  const parts = [...duration.matchAll(/(\d+)([hms])/g)]
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * units[unit!]!, 0)
}
