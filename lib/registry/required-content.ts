// What a manifest needs to be there: after its references are written, every target is read (and a condemned
// one revived). The collector condemns first and then looks for references, so one side sees the other.
import type { Descriptor } from '../oci/descriptor.ts'
import { RegistryError } from '../oci/errors.ts'
import type { Manifest } from '../oci/manifest.ts'
import { lookForDirectUpload } from './direct-uploads.ts'
import { keys } from './keys.ts'
import { linkOf, touchLink } from './links.ts'
import { keepManifest, manifestOf } from './manifest-record.ts'
import { findProject } from './projects.ts'
import type { Registry } from './registry.ts'
import type { Repository } from './repositories.ts'

const READ_AT_ONCE = 100
const ATTEMPTS = 20
const NAMED_MISSING = 10

/**
 * A cache has a manifest before its content: what is fetched later finds the references there already.
 * @throws MANIFEST_BLOB_UNKNOWN naming what is missing, SIZE_INVALID when a descriptor tells another size
 */
export async function requireContent(
  registry: Registry,
  repository: Repository,
  manifest: Manifest,
): Promise<void> {
  const missing = await missingBlobs(registry, repository, manifest.blobs)
  if (manifest.children.length > 0) {
    const children = await missingChildren(registry, repository, manifest.children)
    const project = children.length > 0 ? await findProject(registry, repository.projectName) : undefined
    if (!project?.allowMissingChildren) missing.push(...children)
  }
  if (missing.length === 0 || repository.registryId !== undefined) return
  const named = missing.slice(0, NAMED_MISSING).join(', ')
  const more = missing.length > NAMED_MISSING ? ` and ${missing.length - NAMED_MISSING} more` : ''
  throw new RegistryError(
    'MANIFEST_BLOB_UNKNOWN',
    `the manifest refers to content ${repository.name} does not have: ${named}${more}; push it first`,
    { detail: { digest: missing[0]!, missing: missing.slice(0, READ_AT_ONCE) } },
  )
}

async function missingBlobs(
  registry: Registry,
  repository: Repository,
  blobs: Descriptor[],
): Promise<string[]> {
  return settle(blobs, async (group) => {
    const items = await registry.metadata.batchGet(
      group.map(({ digest }) => keys.link(repository.id, digest)),
    )
    return Promise.all(
      group.map(async (blob, index) => {
        const link =
          linkOf(items[index], repository.id, blob.digest) ??
          (await lookForDirectUpload(registry, repository.id, blob.digest))
        if (!link || link.state === 'corrupt') return 'missing'
        if (link.sizeBytes !== blob.size)
          throw new RegistryError(
            'SIZE_INVALID',
            `the manifest says blob ${blob.digest} has ${blob.size} bytes, it has ${link.sizeBytes}`,
          )
        // A live link with our reference beside it stays; only a condemned one has to be changed.
        if (link.state === 'live') return 'kept'
        return (await touchLink(registry, link)) ? 'kept' : 'changed'
      }),
    )
  })
}

async function missingChildren(
  registry: Registry,
  repository: Repository,
  children: Descriptor[],
): Promise<string[]> {
  return settle(children, async (group) => {
    const items = await registry.metadata.batchGet(
      group.map(({ digest }) => keys.manifest(repository.id, digest)),
    )
    return Promise.all(
      group.map(async ({ digest }, index) => {
        const record = manifestOf(items[index], repository.id, digest)
        if (!record) return 'missing'
        if (record.state === 'live') return 'kept'
        return (await registry.metadata.transact([keepManifest(registry, record)])).ok ? 'kept' : 'changed'
      }),
    )
  })
}

type Finding = 'kept' | 'missing' | 'changed'

/** Judges descriptors in groups, and again those that changed while they were judged. @returns missing digests */
async function settle(
  descriptors: Descriptor[],
  judge: (group: Descriptor[]) => Promise<Finding[]>,
): Promise<string[]> {
  const missing = new Set<string>()
  let waiting = [...new Map(descriptors.map((each) => [`${each.digest} ${each.size}`, each])).values()]
  for (let attempt = 0; waiting.length > 0; attempt++) {
    if (attempt === ATTEMPTS)
      throw new RegistryError(
        'UNAVAILABLE',
        'the manifest’s content is being changed by many requests: try again',
      )
    const changed: Descriptor[] = []
    for (let at = 0; at < waiting.length; at += READ_AT_ONCE) {
      const group = waiting.slice(at, at + READ_AT_ONCE)
      const findings = await judge(group)
      findings.forEach((finding, index) => {
        if (finding === 'missing') missing.add(group[index]!.digest)
        if (finding === 'changed') changed.push(group[index]!)
      })
    }
    waiting = changed
  }
  return [...missing]
}
