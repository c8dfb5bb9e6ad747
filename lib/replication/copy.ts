// Copies one artifact with all that belongs to it: an index's platforms, signatures, bills of materials.
import { IMAGE_CONFIGS } from '../oci/artifact-type.ts'
import type { Descriptor, Platform } from '../oci/descriptor.ts'
import { type Digest, digestOf, isDigest } from '../oci/digest.ts'
import { type Manifest, parseManifest } from '../oci/manifest.ts'
import type { Json } from '../registry/ports.ts'
import { CameFromThere, type PlacedManifest, type Source, type Target } from './place.ts'
import type { Throttle } from './throttle.ts'
import type { Turns } from './turns.ts'

export interface Copying {
  source: Source
  target: Target
  /** The repository at the source, and at the target. */
  from: string
  to: string
  override: boolean
  byChunk: boolean
  throttle: Throttle
  turns: Turns
  resource: (manifest: Manifest) => boolean
  /** Undefined for all of them. */
  platform: ((platform: Platform) => boolean) | undefined
  /** What a repository at the source is called at the target, if it is copied at all. */
  destinationOf(repository: string): string | undefined
  /** Kept of uploads under way, by their digest. */
  uploads: Uploads
  log(line: string): void
}

export interface Uploads {
  of(digest: Digest): Json | undefined
  /** Undefined forgets it. */
  keep(digest: Digest, progress: Json | undefined): Promise<void>
}

export type Copied = 'copied' | 'unchanged' | 'skipped' | 'absent'

const MANIFESTS_LIMIT = 10_000
const BLOBS_AT_ONCE = 3
const ROUNDS = 5
const CONFIG_LIMIT_BYTES = 1024 * 1024
const ACCESSORIES = ['sig', 'att', 'sbom']
const ATTESTED = 'vnd.docker.reference.digest'

/**
 * @param reference a tag, or the digest of what has none
 * @throws whatever either side does; what was copied until then need not be copied again
 */
export async function copyArtifact(copying: Copying, reference: string): Promise<Copied> {
  try {
    for (let round = 1; ; round++) {
      const { outcome, digest } = await new Copy(copying).named(reference)
      // Two tasks may have met here, each with what the tag was when it looked: whoever is last looks once more.
      if (outcome !== 'copied' || round === ROUNDS) return outcome
      if ((await copying.source.head(copying.from, reference)) === digest) return outcome
      copying.log(`${copying.from}:${reference} was moved meanwhile`)
    }
  } catch (error) {
    if (!(error instanceof CameFromThere)) throw error
    copying.log(`skipped: ${error.message}`)
    return 'skipped'
  }
}

class Copy {
  readonly #copying: Copying
  readonly #seen = new Set<Digest>()

  constructor(copying: Copying) {
    this.#copying = copying
  }

  async named(reference: string): Promise<{ outcome: Copied; digest?: Digest }> {
    const { source, from } = this.#copying
    const digest = await source.head(from, reference)
    if (digest === undefined) {
      this.#copying.log(`${named(from, reference)} is not there any more`)
      return { outcome: 'absent' }
    }
    return { outcome: await this.#artifact(reference, digest), digest }
  }

  async #artifact(reference: string, digest: Digest): Promise<Copied> {
    const { source, from } = this.#copying
    const whole = await source.manifest(from, digest)
    const manifest = parseManifest(whole.bytes, whole.mediaType)
    if (!this.#copying.resource(manifest))
      return this.#skipped(`${named(from, reference)} is not of the kind that is copied`)
    const root = await this.#ofPlatforms(whole, manifest)
    if (!root) return this.#skipped(`${named(from, reference)} is for none of the platforms that are copied`)
    // Of some platforms alone it has another digest there.
    const outcome = await this.#place(root, isDigest(reference) ? root.digest : reference)
    if (outcome === 'skipped') return outcome
    // Before there were referrers, signatures were tags named after the digest.
    for (const kind of ACCESSORIES) {
      const accessory = `${digest.replace(':', '-')}.${kind}`
      const signature = await source.head(from, accessory)
      if (signature) await this.#place(await source.manifest(from, signature), accessory)
    }
    return outcome
  }

  /** Everything below the tag first, the tag last: whoever finds it finds all of it. What has no tag was put with the rest. */
  async #place(root: PlacedManifest, reference: string): Promise<Copied> {
    const { target, to, override, log } = this.#copying
    const name = named(to, reference)
    const present = await target.head(to, reference)
    if (present !== undefined && present !== root.digest && !override)
      return this.#skipped(`${name} is ${present} at ${target.name}, and the rule does not override`)
    await this.#manifest(root.digest, root)
    if (present === root.digest) {
      log(`${name} is ${root.digest} at ${target.name} already`)
      return 'unchanged'
    }
    if (reference !== root.digest) await this.#turn(root.digest, () => target.put(to, reference, root))
    log(`${name} is ${root.digest} at ${target.name} now`)
    return 'copied'
  }

  #skipped(why: string): 'skipped' {
    this.#copying.log(`skipped: ${why}`)
    return 'skipped'
  }

  async #manifest(digest: Digest, known?: PlacedManifest): Promise<void> {
    if (this.#seen.has(digest)) return
    if (this.#seen.size === MANIFESTS_LIMIT)
      throw new Error(`more than ${MANIFESTS_LIMIT} manifests belong to one artifact`)
    this.#seen.add(digest)
    const { source, target, from, to, log } = this.#copying
    const placed = known ?? (await source.manifest(from, digest))
    const manifest = parseManifest(placed.bytes, placed.mediaType)
    for (const child of manifest.children) await this.#manifest(child.digest)
    await this.#turn(digest, async () => {
      if ((await target.head(to, digest)) !== undefined) return
      await this.#blobs(manifest.blobs)
      await target.put(to, digest, placed)
      log(`copied ${digest} (${manifest.mediaType}, ${placed.bytes.length} bytes)`)
    })
    for (const referrer of await source.referrers(from, digest)) await this.#manifest(referrer)
  }

  async #blobs(blobs: Descriptor[]): Promise<void> {
    const waiting = [...new Map(blobs.map((blob) => [blob.digest, blob])).values()]
    const failures: unknown[] = []
    const lane = async () => {
      for (let blob = waiting.shift(); blob; blob = waiting.shift())
        try {
          await this.#turn(blob.digest, () => this.#blob(blob))
        } catch (error) {
          failures.push(error)
          waiting.length = 0
        }
    }
    await Promise.all(Array.from({ length: BLOBS_AT_ONCE }, lane))
    if (failures.length > 0) throw failures[0]
  }

  #turn<T>(digest: Digest, work: () => Promise<T>): Promise<T> {
    const { turns, target, to } = this.#copying
    return turns.take(`${target.name} ${to}@${digest}`, work)
  }

  async #blob(blob: Descriptor): Promise<void> {
    const { source, target, from, to, throttle, byChunk, uploads, log } = this.#copying
    if (await target.hasBlob(to, blob)) return
    const homes = (await source.alsoIn(from, blob.digest)).map((each) => this.#copying.destinationOf(each))
    const sent = await target.upload({
      repository: to,
      blob,
      mountFrom: homes.filter((each): each is string => each !== undefined && each !== to),
      open: (fromByte) => throttle.of(source.open(from, blob, fromByte)),
      byChunk,
      progress: uploads.of(blob.digest),
      save: (progress) => uploads.keep(blob.digest, progress),
      log,
    })
    await uploads.keep(blob.digest, undefined)
    log(sent ? `copied ${blob.digest} (${blob.size} bytes)` : `mounted ${blob.digest}`)
  }

  /** An index of the platforms wanted alone, the same each time; what else is there for them stays with them. */
  async #ofPlatforms(whole: PlacedManifest, manifest: Manifest): Promise<PlacedManifest | undefined> {
    const { platform, log } = this.#copying
    if (!platform) return whole
    if (manifest.kind !== 'index') return (await this.#fits(manifest, platform)) ? whole : undefined
    const kept = manifest.children.filter((child) => child.platform && platform(child.platform))
    if (kept.length === 0) return undefined
    const digests = new Set<string>(kept.map(({ digest }) => digest))
    const belongs = ({ digest, annotations }: Descriptor) =>
      digests.has(digest) || digests.has(annotations?.[ATTESTED] ?? '')
    const json = JSON.parse(Buffer.from(whole.bytes).toString('utf8')) as { manifests: Descriptor[] }
    const manifests = json.manifests.filter(belongs)
    if (manifests.length === json.manifests.length) return whole
    const bytes = Buffer.from(JSON.stringify({ ...json, manifests }))
    const digest = digestOf(bytes)
    log(`${whole.digest} for ${kept.length} of its ${manifest.children.length} manifests is ${digest}`)
    return { digest, mediaType: whole.mediaType, bytes }
  }

  async #fits({ config }: Manifest, platform: (each: Platform) => boolean): Promise<boolean> {
    if (!config || !IMAGE_CONFIGS.includes(config.mediaType) || config.size > CONFIG_LIMIT_BYTES) return true
    const chunks: Uint8Array[] = []
    for await (const chunk of this.#copying.source.open(this.#copying.from, config, 0))
      chunks.push(Buffer.from(chunk))
    try {
      return platform(JSON.parse(Buffer.concat(chunks).toString('utf8')) as Platform)
    } catch {
      return true
    }
  }
}

function named(repository: string, reference: string): string {
  return `${repository}${isDigest(reference) ? '@' : ':'}${reference}`
}
