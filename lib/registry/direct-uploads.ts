// Direct uploads: blobs that clients put into the store themselves, past us. Nobody calls us afterwards, so they are
// registered by the store's event, or lazily by whoever misses them; both may come late, twice, or never.
import type { Digest } from '../oci/digest.ts'
import { keys, objectKeys, parseDirectKey } from './keys.ts'
import { type Link, readLink, registerLink } from './links.ts'
import { epochSeconds, type Registry } from './registry.ts'
import { type SessionItem, sessionWrite } from './upload-session.ts'

/** Beyond the undo window: how long a late event or look may still find the object of a deleted blob. */
const MARKER_EXTRA_SECONDS = 7 * 86_400
/** Uploads of one digest into one repository that are looked at; one is enough. */
const LOOKED_AT = 20

export type Registration =
  | 'registered'
  /** It was registered before, whatever became of the link since. */
  | 'known'
  /** No object, or a repository that was deleted. */
  | 'gone'
  /** The store took other bytes than the key says. */
  | 'refused'

/**
 * Links an object whose key tells repository, digest and upload session. An event is believed for nothing but that key.
 * The session's item says that it was registered, so that neither a late event nor the next look brings a deleted
 * blob back.
 */
export async function registerDirectUpload(registry: Registry, key: string): Promise<Registration> {
  const upload = parseDirectKey(key)
  if (!upload) return 'gone'
  const { repo, digest, session } = upload
  const [marker, repository] = await registry.metadata.batchGet([
    keys.session(session),
    keys.repositoryById(repo),
  ])
  if (marker) return 'known'
  if (repository?.attributes.state !== 'live') return 'gone'
  const stored = await registry.blobs.stat(key)
  if (!stored) return 'gone'
  if (stored.sha256 !== undefined && `sha256:${stored.sha256}` !== digest) return 'refused'
  const linked = { key, sizeBytes: stored.sizeBytes, shared: false }
  const outcome = await registerLink(registry, repo, digest, linked, [
    marked(registry, upload, stored.sizeBytes),
  ])
  return outcome === 'registered' ? 'registered' : 'known'
}

/** The session as done, so that a repeated PUT through us is answered 201 too. */
function marked(
  registry: Registry,
  { repo, digest, session }: { repo: string; digest: Digest; session: string },
  sizeBytes: number,
) {
  const done: SessionItem = {
    state: 'done',
    epoch: 0,
    offset: sizeBytes,
    digest,
    object: objectKeys.direct(repo, digest, session),
  }
  const write = sessionWrite(registry, { id: session, repositoryId: repo }, undefined, done)
  const lifeSeconds = registry.settings.undoWindowMs / 1000 + MARKER_EXTRA_SECONDS
  return { ...write, item: { ...write.item, expiresAtEpochSeconds: epochSeconds(registry) + lifeSeconds } }
}

/** The link of a blob that somebody may just have put into the store. For callers who may push. */
export async function lookForDirectUpload(
  registry: Registry,
  repo: string,
  digest: Digest,
): Promise<Link | undefined> {
  if (!registry.settings.directUploads || !digest.startsWith('sha256:')) return undefined
  let looked = 0
  for await (const { key } of registry.blobs.list(objectKeys.directPrefix(repo, digest))) {
    const outcome = await registerDirectUpload(registry, key)
    // Registered by someone else a moment ago, perhaps: the link tells.
    if (outcome === 'registered' || outcome === 'known') {
      const link = await readLink(registry, repo, digest)
      if (link) return link
    }
    looked += 1
    if (looked === LOOKED_AT) return undefined
  }
  return undefined
}
