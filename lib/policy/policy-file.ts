// A policy as a file, to be tried on past pulls before a project gets it: Harbor's names for Harbor's settings.

import { isObject } from '../oci/descriptor.ts'
import { RegistryError } from '../oci/errors.ts'
import { checkedMetadata } from '../registry/project-metadata.ts'
import type { Allowlist } from '../registry/projects.ts'
import { checkTrust, NO_TRUST, type SignatureTrust } from './signature-trust.ts'

export interface PolicyFile {
  /** Names; undefined for every project. */
  projects?: string[]
  metadata: Record<string, string>
  allowlist?: Allowlist
  /** undefined: what each project has. */
  trust?: SignatureTrust
}

const SETTINGS = [
  'prevent_vul',
  'severity',
  'reuse_sys_cve_allowlist',
  'enable_content_trust',
  'enable_content_trust_cosign',
  'require_sbom',
]
const OTHERS = ['projects', 'cve_allowlist', 'signature_trust']

/** @throws REQUEST_INVALID naming what is wrong */
export function policyFileIn(given: Record<string, unknown>): PolicyFile {
  const known = [...SETTINGS, ...OTHERS]
  const unknown = Object.keys(given).find((key) => !known.includes(key))
  if (unknown !== undefined)
    throw invalid(`${JSON.stringify(unknown.slice(0, 64))} is no setting of a policy: ${known.join(', ')}`)
  const metadata: Record<string, string> = {}
  for (const name of SETTINGS)
    if (given[name] !== undefined) metadata[name] = checkedMetadata(name, String(given[name]))
  const { projects, cve_allowlist: allowlist, signature_trust: trust } = given
  return {
    ...(projects === undefined ? {} : { projects: textsIn(projects, 'projects') }),
    metadata,
    ...(allowlist === undefined ? {} : { allowlist: allowlistIn(allowlist) }),
    ...(trust === undefined ? {} : { trust: trustIn(trust) }),
  }
}

function allowlistIn(given: unknown): Allowlist {
  const { items, expires_at: expires } = mapIn(given, 'cve_allowlist')
  if (expires !== undefined && !Number.isSafeInteger(expires))
    throw invalid('cve_allowlist.expires_at is seconds since 1970')
  const list = Array.isArray(items) ? items.map((each) => (isObject(each) ? each.cve_id : each)) : items
  return {
    cves: textsIn(list, 'cve_allowlist.items'),
    ...(expires === undefined ? {} : { expiresAtSeconds: expires as number }),
  }
}

function trustIn(given: unknown): SignatureTrust {
  const fields = mapIn(given, 'signature_trust')
  const texts = (name: string) => textsIn(fields[name] ?? [], `signature_trust.${name}`)
  const keyless = fields.keyless ?? []
  if (!Array.isArray(keyless)) throw invalid('signature_trust.keyless is a list')
  const trust: SignatureTrust = {
    ...NO_TRUST,
    cosignKeys: texts('cosign_keys'),
    keyless: keyless.map((each) => {
      const { identity, issuer } = mapIn(each, 'signature_trust.keyless')
      return { identity: String(identity ?? ''), issuer: String(issuer ?? '') }
    }),
    fulcioCertificates: texts('fulcio_certificates'),
    ...(fields.rekor_key === undefined ? {} : { rekorKey: String(fields.rekor_key) }),
    notationCertificates: texts('notation_certificates'),
  }
  checkTrust(trust)
  return trust
}

function mapIn(value: unknown, name: string): Record<string, unknown> {
  if (!isObject(value)) throw invalid(`${name} is a map`)
  return value
}

function textsIn(value: unknown, name: string): string[] {
  if (!Array.isArray(value) || value.some((each) => typeof each !== 'string'))
    throw invalid(`${name} is a list of texts`)
  return value as string[]
}

function invalid(why: string): RegistryError {
  return new RegistryError('REQUEST_INVALID', `the policy cannot be used: ${why}`)
}
