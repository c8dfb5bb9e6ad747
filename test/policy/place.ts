// A registry in memory with images that can be run, scans of them, and a project's policy.
import { randomBytes } from 'node:crypto'
import type { Digest } from '../../lib/oci/digest.ts'
import { RegistryError } from '../../lib/oci/errors.ts'
import { checkPull } from '../../lib/policy/pull-check.ts'
import { NO_TRUST, putTrust, type SignatureTrust } from '../../lib/policy/signature-trust.ts'
import { findManifest } from '../../lib/registry/manifests.ts'
import { changeProject } from '../../lib/registry/project-changes.ts'
import { type Allowlist, findProject, type Project } from '../../lib/registry/projects.ts'
import type { Registry } from '../../lib/registry/registry.ts'
import { requireRepository } from '../../lib/registry/repositories.ts'
import type { Vulnerability } from '../../lib/scanning/report.ts'
import { saveReport } from '../../lib/scanning/reports.ts'
import { type Scan, scanItem } from '../../lib/scanning/scan.ts'
import { type Severity, worst } from '../../lib/scanning/severity.ts'
import { byDigest, MANIFEST, pushBlob, pushBytes } from '../domain/registry.ts'

export const NAME = 'library/app'
export const IMAGE_CONFIG = 'application/vnd.oci.image.config.v1+json'
export const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip'

export interface Part {
  mediaType: string
  text: string
  annotations?: Record<string, string>
}

/** Pushes an image, or whatever its parts make of it. @param more of the manifest */
export async function pushParts(
  registry: Registry,
  tag: string | undefined,
  [config, ...layers]: [Part, ...Part[]],
  more: object = {},
): Promise<Digest> {
  const described = async ({ mediaType, text, annotations }: Part) => ({
    mediaType,
    digest: await pushBlob(registry, NAME, text),
    size: Buffer.byteLength(text),
    ...(annotations ? { annotations } : {}),
  })
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: await described(config),
    layers: await Promise.all(layers.map(described)),
    ...more,
  }
  return pushBytes(registry, NAME, tag, Buffer.from(JSON.stringify(manifest)), MANIFEST)
}

export function pushRunnable(registry: Registry, tag?: string, more: object = {}): Promise<Digest> {
  const layer = { mediaType: LAYER, text: randomBytes(8).toString('hex') }
  return pushParts(registry, tag, [{ mediaType: IMAGE_CONFIG, text: '{}' }, layer], more)
}

/** Sets the project's policy, in Harbor's words. */
export async function setPolicy(
  registry: Registry,
  metadata: Record<string, string>,
  allowlist?: Allowlist,
  trust: Partial<SignatureTrust> = {},
): Promise<void> {
  const project = await library(registry)
  const asked = process.env.SABOTAGE === 'policy-no-sbom' ? { ...metadata, require_sbom: 'false' } : metadata
  await changeProject(registry, project, () => ({ metadata: asked, ...(allowlist ? { allowlist } : {}) }))
  const isAny = process.env.SABOTAGE === 'policy-any-signer'
  await putTrust(registry, project, isAny ? NO_TRUST : { ...NO_TRUST, ...trust })
}

export async function library(registry: Registry): Promise<Project> {
  return (await findProject(registry, 'library'))!
}

export type Found = [id: string, severity: Severity]

/** A scan that found these ends. */
export async function scanned(registry: Registry, digest: Digest, found: Found[]): Promise<void> {
  const { repository } = await requireRepository(registry, NAME)
  const { id: repo, projectId } = repository
  const begun = { attempt: registry.newId(), execution: 1, task: 1, begunAtMs: registry.clock.nowMs() }
  const scan: Scan = { ...begun, done: false }
  await registry.metadata.batchWrite([{ kind: 'put', item: scanItem(repo, digest, scan) }])
  const payload = { repo, repository: NAME, projectId, digest } as Parameters<typeof saveReport>[1]
  const report = {
    generated_at: '2026-11-28T00:00:00Z',
    scanner: { name: 'Trivy', vendor: 'Aqua Security', version: '0.72.0' },
    severity: worst(found.map(([, severity]) => severity)),
    vulnerabilities: found.map(([id, severity]) => vulnerability(id, severity, digest)),
    findings: [],
  }
  if (!(await saveReport(registry, payload, scan, report, begun.begunAtMs))) throw new Error('overtaken')
}

function vulnerability(id: string, severity: Severity, digest: Digest): Vulnerability {
  return {
    id,
    package: 'openssl',
    version: '1.0',
    fix_version: '1.1',
    severity,
    description: '',
    links: [],
    artifact_digests: [digest],
  }
}

/** @returns `pulled`, or what the refusal says */
export async function pull(
  registry: Registry,
  digest: Digest,
  caller: { scan?: true; pushes?: true } = {},
): Promise<string> {
  const found = await findManifest(registry, NAME, byDigest(digest))
  try {
    const isScanner = caller.scan || process.env.SABOTAGE === 'policy-all-scan'
    await checkPull(registry, found, {
      principal: 'alice',
      mayAskFor: async () => caller.pushes ?? false,
      ...(isScanner ? { scan: true } : {}),
    })
    return 'pulled'
  } catch (error) {
    if (!(error instanceof RegistryError) || error.code !== 'PROJECTPOLICYVIOLATION') throw error
    return error.message
  }
}
