// Metadata of projects: policy flags and settings under Harbor's names, all of them text.
import { RegistryError } from '../oci/errors.ts'
import { faultIn } from './name-patterns.ts'

const FLAGS = new Set([
  'public',
  'enable_content_trust',
  'enable_content_trust_cosign',
  'prevent_vul',
  'auto_scan',
  'auto_sbom_generation',
  'require_sbom',
  'reuse_sys_cve_allowlist',
  'proxy_cache_local_on_not_found',
  'proxy_local_first',
])
const NUMBERS = new Set([
  'proxy_speed_kb',
  'max_upstream_conn',
  'proxy_fresh_seconds',
  'proxy_retention_days',
])
const PATTERNS = new Set(['proxy_cache_filter_pattern', 'proxy_cache_deny_pattern'])
const SEVERITIES = ['none', 'low', 'medium', 'high', 'critical']
const SBOM_FORMATS = ['spdx', 'cyclonedx', 'both']
const NAME = /^[a-z][a-z0-9_]{0,63}$/
const VALUE_LIMIT = 1024

/** @throws REQUEST_INVALID */
export function checkedMetadata(name: string, value: string): string {
  if (!NAME.test(name))
    throw invalid(`${JSON.stringify(name.slice(0, 64))} is no name of a project's metadata`)
  if (value.length > VALUE_LIMIT)
    throw invalid(`the value of ${name} is longer than ${VALUE_LIMIT} characters`)
  if (FLAGS.has(name)) {
    const flag = value.toLowerCase()
    if (flag === 'true' || flag === '1') return 'true'
    if (flag === 'false' || flag === '0' || flag === '') return 'false'
    throw invalid(`the value of ${name} is true or false, not ${JSON.stringify(value.slice(0, 40))}`)
  }
  if (name === 'severity' && !SEVERITIES.includes(value.toLowerCase()))
    throw invalid(
      `the severity is one of ${SEVERITIES.join(', ')}, not ${JSON.stringify(value.slice(0, 40))}`,
    )
  if (name === 'sbom_format' && !SBOM_FORMATS.includes(value))
    throw invalid(
      `the sbom_format is one of ${SBOM_FORMATS.join(', ')}, not ${JSON.stringify(value.slice(0, 40))}`,
    )
  if (NUMBERS.has(name) && !/^-?\d{1,12}$/.test(value))
    throw invalid(`the value of ${name} is a whole number, not ${JSON.stringify(value.slice(0, 40))}`)
  if (name === 'proxy_cache_filter_kind' && value !== 'doublestar')
    throw invalid('the proxy_cache_filter_kind is doublestar')
  const fault = PATTERNS.has(name) ? faultIn(value) : undefined
  if (fault) throw invalid(`one of the patterns of ${name} ${fault}`)
  return name === 'severity' ? value.toLowerCase() : value
}

function invalid(why: string): RegistryError {
  return new RegistryError('REQUEST_INVALID', why)
}
