// Direct uploads: blobs that clients put into the store themselves, past us. Nobody calls us afterwards, so they are
// registered by the store's event, or lazily by whoever misses them; both may come late, twice, or never.
import type { Digest } from '../oci/digest.ts'
import { type DirectUpload, parseDirectKey } from './direct-keys.ts'
import { keys } from './keys.ts'
import { type Link, readLink, registerLink } from './links.ts'
import { objectKeys } from './object-keys.ts'
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
 * Links an object whose key tells repository, digest and upload session, as the store's event asks for. The event is
 * believed for nothing but that key. The session's item says that it was registered, so that neither a late event nor
 * the next look brings a deleted blob back.
 */
export async function registerDirectUpload(registry: Registry, key: string): Promise<Registration> {
  const upload = parseDirectKey(key)
  if (!upload) return 'gone'
  const [marker, repository] = await registry.metadata.batchGet([
    keys.session(upload.session),
    keys.repositoryById(upload.repo),
  ])
  if (marker?.attributes.digest === upload.digest) return 'known'
  // A link made in spite of this would only wait for the collector: nobody's token fits the repository any more.
  if (repository?.attributes.state !== 'live') return 'gone'
  const outcome = await link(registry, upload)
  return typeof outcome === 'string' ? outcome : 'registered'
}

async function link(
  registry: Registry,
  upload: DirectUpload,
): Promise<Link | Exclude<Registration, 'registered'>> {
  const { repo, digest, session } = upload
  const key = objectKeys.direct(repo, digest, session)
  const stored = await registry.blobs.stat(key)
  if (!stored) return 'gone'
  if (stored.sha256 !== undefined && `sha256:${stored.sha256}` !== digest) return 'refused'
  const linked = { key, sizeBytes: stored.sizeBytes, shared: false }
  const first = marked(registry, upload, stored.sizeBytes)
  const registered = await registerLink(registry, repo, digest, linked, [first])
  if (registered) return registered
  const item = await registry.metadata.get(keys.session(session))
  if (item?.attributes.digest === digest) return 'known'
  // The session was used for something else too. S3 took this one and the client was told so: it has a marker of its own.
  const another = marked(registry, upload, stored.sizeBytes, `${session}${digest.slice(-32)}`)
  return (await registerLink(registry, repo, digest, linked, [another])) ?? 'known'
}

/** The session as done, so that a repeated PUT through us is answered 201 too. */
function marked(
  registry: Registry,
  { repo, digest, session }: DirectUpload,
  sizeBytes: number,
  id = session,
) {
  const done: SessionItem = {
    state: 'done',
    epoch: 0,
    offset: sizeBytes,
    digest,
    object: objectKeys.direct(repo, digest, session),
  }
  const write = sessionWrite(registry, { id, repositoryId: repo }, undefined, done)
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
    const upload = parseDirectKey(key)
    const outcome = upload ? await link(registry, upload) : 'gone'
    if (typeof outcome === 'object') return outcome
    // Registered by someone else a moment ago, or long ago and collected since: the link tells.
    const known = outcome === 'known' ? await readLink(registry, repo, digest) : undefined
    if (known) return known
    looked += 1
    if (looked === LOOKED_AT) return undefined
  }
  return undefined
}
