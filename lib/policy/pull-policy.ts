// What a project asks of an image before anybody may pull it.
import { createHash } from 'node:crypto'
import type { Allowlist, Project } from '../registry/projects.ts'
import { type Severity, severityNamed } from '../scanning/severity.ts'
import type { SignatureTrust } from './signature-trust.ts'

export interface PullPolicy {
  /** Images with a vulnerability that bad, or worse, are refused, and so are images not scanned yet. */
  severity?: Severity
  allowlist: Allowlist
  /** Whose list it is, for people. */
  allowlistOf: 'project' | 'system'
  cosign: boolean
  notation: boolean
  /** A bill of materials has to belong to the image. */
  sbom: boolean
  trust: SignatureTrust
}

/** Harbor's metadata that ask for something. */
export function asksForAnything({ metadata }: Pick<Project, 'metadata'>): boolean {
  return (
    isOn(metadata, 'prevent_vul') || wantsCosign(metadata) || wantsNotation(metadata) || wantsSbom(metadata)
  )
}

export function pullPolicy(
  { metadata, allowlist }: Pick<Project, 'metadata' | 'allowlist'>,
  systemAllowlist: Allowlist,
  trust: SignatureTrust,
): PullPolicy {
  // Harbor's default is the system's.
  const isSystem = (metadata.reuse_sys_cve_allowlist ?? 'true') === 'true'
  return {
    ...(isOn(metadata, 'prevent_vul') ? { severity: severityNamed(metadata.severity ?? '') } : {}),
    allowlist: isSystem ? systemAllowlist : (allowlist ?? { cves: [] }),
    allowlistOf: isSystem ? 'system' : 'project',
    cosign: wantsCosign(metadata),
    notation: wantsNotation(metadata),
    sbom: wantsSbom(metadata),
    trust,
  }
}

/** Two policies of one hash judge alike. */
export function hashOf({ allowlist, ...policy }: PullPolicy): string {
  const { cves, expiresAtSeconds } = allowlist
  const text = JSON.stringify([policy, [...cves].sort(), expiresAtSeconds ?? null])
  return createHash('sha256').update(text).digest('hex').slice(0, 32)
}

/** Seconds since 1970, so it ends everywhere at once. Harbor writes 0, or nothing, for never. */
export function allowlistEndMs({ expiresAtSeconds }: Allowlist): number | undefined {
  return expiresAtSeconds ? expiresAtSeconds * 1000 : undefined
}

function wantsCosign(metadata: Project['metadata']): boolean {
  return isOn(metadata, 'enable_content_trust_cosign')
}

function wantsNotation(metadata: Project['metadata']): boolean {
  return isOn(metadata, 'enable_content_trust')
}

/** Ours: Harbor has no such setting. */
function wantsSbom(metadata: Project['metadata']): boolean {
  return isOn(metadata, 'require_sbom')
}

function isOn(metadata: Project['metadata'], name: string): boolean {
  return metadata[name] === 'true'
}
