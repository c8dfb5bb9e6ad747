// Whether an image may be pulled by its project's policy: the rules one after another, and what was said before.
import { createHash } from 'node:crypto'
import { IMAGE_CONFIGS } from '../oci/artifact-type.ts'
import { type Manifest, parseManifest } from '../oci/manifest.ts'
import { SBOM_MEDIA_TYPES } from '../oci/sbom.ts'
import { keys } from '../registry/keys.ts'
import type { FoundManifest } from '../registry/manifests.ts'
import type { Attributes, Item } from '../registry/ports.ts'
import type { Registry } from '../registry/registry.ts'
import { shortIn } from '../scanning/reports.ts'
import { type Scan, scanOf, stateOfScan } from '../scanning/scan.ts'
import { allowlistEndMs, hashOf, type PullPolicy } from './pull-policy.ts'
import { sbomViolation } from './sbom-rule.ts'
import { signatureViolation } from './signatures.ts'
import type { Violation } from './violation.ts'
import { isHarmless, notScanned, vulnerabilityViolation } from './vulnerability-rule.ts'

/** So long a signature or bill of materials that was taken away, or whose certificate expired, may still count. */
const SIGNED_FOR_MS = 60_000
const KEPT_FOR_SECONDS = 86_400

/** Layers of what is packed as an image and cannot be run: signatures, attestations, bills of materials. */
const STATEMENTS = new Set([
  'application/vnd.dev.cosign.simplesigning.v1+json',
  'application/vnd.dev.sigstore.bundle.v0.3+json',
  'application/vnd.dsse.envelope.v1+json',
  'application/vnd.in-toto+json',
  ...SBOM_MEDIA_TYPES,
])

/** What is judged: images that can be run. An index passes, its images are judged when they are pulled. */
export function isJudged({ kind, config, layers }: Manifest): boolean {
  if (kind !== 'image' || !config || !IMAGE_CONFIGS.includes(config.mediaType)) return false
  return layers.length === 0 || layers.some(({ mediaType }) => !STATEMENTS.has(mediaType))
}

/**
 * @param known the items of the scan and of the verdict kept, where they were read already; one call without
 * @param options `keeps`: false leaves no verdict behind, as of a policy that is only tried
 * @returns what forbids the pull; empty where nothing does
 */
export async function judge(
  registry: Registry,
  policy: PullPolicy,
  found: FoundManifest,
  known?: readonly (Item | undefined)[],
  { keeps = true } = {},
): Promise<Violation[]> {
  const { repository, record, bytes } = found
  const asksForAccessories = policy.cosign || policy.notation || policy.sbom
  const isEmpty = policy.severity === undefined && !asksForAccessories
  if (isEmpty || record.kind !== 'image' || !isJudged(parseManifest(bytes, record.mediaType))) return []
  const at = [repository.id, record.digest] as const
  const [scanned, kept] = known ?? (await registry.metadata.batchGet([keys.scan(...at), keys.verdict(...at)]))
  const scan = scanOf(scanned)
  if (!asksForAccessories && (!scan?.found || isHarmless(scan.found, policy.severity!)))
    return vulnerabilities(registry, policy, found, scan) // what was read tells it all
  const basis = basisOf(policy, scan)
  const now = registry.clock.nowMs()
  if (kept?.attributes.basis === basis && now < (kept.attributes.untilMs as number))
    return kept.attributes.violations as unknown as Violation[]
  const missing = await missingAccessories(registry, policy, found)
  const violations = [...(await vulnerabilities(registry, policy, found, scan)), ...missing]
  // What is missing may come at any moment.
  if (keeps && missing.length === 0) await keep(registry, policy, found, basis, violations)
  return violations
}

/** The policy, and what the last scan found; without one, whether there is one is all that counts. */
function basisOf(policy: PullPolicy, scan: Scan | undefined): string {
  const text = `${hashOf(policy)} ${scan?.found?.object ?? `${scan?.attempt}`}`
  return createHash('sha256').update(text).digest('hex')
}

async function keep(
  registry: Registry,
  policy: PullPolicy,
  { repository, record }: FoundManifest,
  basis: string,
  violations: Violation[],
): Promise<void> {
  const now = registry.clock.nowMs()
  const endMs = allowlistEndMs(policy.allowlist) ?? 0
  const untilMs = Math.min(
    now + (policy.cosign || policy.notation || policy.sbom ? SIGNED_FOR_MS : KEPT_FOR_SECONDS * 1000),
    endMs > now ? endMs : Number.MAX_SAFE_INTEGER,
  )
  const attributes = { v: 1, basis, untilMs, violations: violations as unknown as Attributes[] }
  const item: Item = {
    ...keys.verdict(repository.id, record.digest),
    attributes,
    expiresAtEpochSeconds: Math.floor(now / 1000) + KEPT_FOR_SECONDS,
  }
  await registry.metadata.batchWrite([{ kind: 'put', item }])
}

async function vulnerabilities(
  registry: Registry,
  policy: PullPolicy,
  { repository, record }: FoundManifest,
  scan: Scan | undefined,
): Promise<Violation[]> {
  const { severity } = policy
  if (severity === undefined) return []
  if (!scan?.found) {
    const status = scan && (await stateOfScan(registry, scan)).status
    return [notScanned(severity, status)]
  }
  if (isHarmless(scan.found, severity)) return []
  const listed = await shortIn(await registry.metadata.get(keys.shortReport(repository.id, record.digest)))
  const now = registry.clock.nowMs()
  const violation = vulnerabilityViolation(policy, severity, scan.found, listed, now)
  return violation ? [violation] : []
}

async function missingAccessories(
  registry: Registry,
  { cosign, notation, sbom, trust }: PullPolicy,
  { repository, record, bytes }: FoundManifest,
): Promise<Violation[]> {
  const image = { repository, digest: record.digest, bytes }
  const kinds = [...(cosign ? (['cosign'] as const) : []), ...(notation ? (['notation'] as const) : [])]
  const found = await Promise.all([
    ...kinds.map((kind) => signatureViolation(registry, image, kind, trust)),
    ...(sbom ? [sbomViolation(registry, repository, record.digest)] : []),
  ])
  return found.filter((each) => each !== undefined)
}
