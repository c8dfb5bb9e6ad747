// fsck: compares metadata and store both ways and changes nothing.
import type { Digest } from '../oci/digest.ts'
import { algorithmOf, digestOf } from '../oci/digest.ts'
import { parseManifest } from '../oci/manifest.ts'
import { projectOf } from '../oci/reference.ts'
import { unknownObjects } from './gc/inventory.ts'
import { keys } from './keys.ts'
import { linkOf } from './links.ts'
import { manifestOf } from './manifest-record.ts'
import { bytesOf } from './manifests.ts'
import { objectKeys } from './object-keys.ts'
import type { Item, Key } from './ports.ts'
import { findProject } from './projects.ts'
import { referenceKeys } from './references.ts'
import { type Registry, text } from './registry.ts'
import { scanItems } from './scan.ts'
import { historyIsWhole, tagHistory, tagOf } from './tags.ts'

export interface Finding {
  /** `error`: something is lost or wrong. `note`: left over, the next sweep frees it. */
  severity: 'error' | 'note'
  where: string
  what: string
}

export interface FsckReport {
  items: number
  manifests: number
  links: number
  tags: number
  /** Bytes the links say they hold, each object counted once, and bytes of objects found in the store. */
  linkedBytes: number
  storedBytes: number
  findings: Finding[]
}

const READ_AT_ONCE = 100
const HISTORY_CHECKED = 1000

export async function fsck(registry: Registry): Promise<FsckReport> {
  const report: FsckReport = {
    items: 0,
    manifests: 0,
    links: 0,
    tags: 0,
    linkedBytes: 0,
    storedBytes: 0,
    findings: [],
  }
  const objects = new Set<string>()
  for await (const item of scanItems(registry)) {
    report.items += 1
    const [kind, repo, rest] = item.pk.split('#')
    if (kind === 'L' && item.sk === 'L')
      await checkLink(registry, report, item, repo!, rest as Digest, objects)
    else if (kind === 'M' && item.sk === 'M')
      await checkManifest(registry, report, item, repo!, rest as Digest)
    else if (kind === 'M' && item.sk.startsWith('X#'))
      await checkDeleted(registry, report, item, rest as Digest)
    else if (kind === 'T') await checkTag(registry, report, item, repo!, rest!)
    else if (kind === 'TL')
      await expectItem(registry, report, keys.tag(repo!, item.sk), `listed tag ${item.sk}`)
    else if (kind === 'RF')
      await expectItem(registry, report, keys.manifest(repo!, item.sk), `referrer ${item.sk} of ${rest}`)
    else if (kind === 'CATALOG')
      await expectItem(registry, report, keys.repository(item.sk), `listed repository ${item.sk}`)
  }
  for await (const object of registry.blobs.list(objectKeys.all)) report.storedBytes += object.sizeBytes
  for await (const object of unknownObjects(registry))
    report.findings.push({
      severity: 'note',
      where: object.key,
      what: `${object.sizeBytes} bytes nothing links`,
    })
  return report
}

async function checkLink(
  registry: Registry,
  report: FsckReport,
  item: Item,
  repo: string,
  digest: Digest,
  objects: Set<string>,
): Promise<void> {
  const link = linkOf(item, repo, digest)!
  const where = `blob ${digest} of repository ${repo}`
  const error = (what: string) => report.findings.push({ severity: 'error', where, what })
  report.links += 1
  if (link.state === 'corrupt') error('is corrupt: push it again')
  const stored = await registry.blobs.stat(link.object)
  if (!stored) error(`its object ${link.object} is missing`)
  else if (stored.sizeBytes !== link.sizeBytes)
    error(`its object has ${stored.sizeBytes} bytes instead of ${link.sizeBytes}`)
  if (!objects.has(link.object)) report.linkedBytes += link.sizeBytes
  objects.add(link.object)
  const [object, reference] = await registry.metadata.batchGet([
    keys.object(link.object),
    keys.objectReference(link.object, repo, digest),
  ])
  if (!object) error(`its object ${link.object} has no record`)
  if (!reference) error(`its object ${link.object} does not know the repository`)
}

async function checkManifest(
  registry: Registry,
  report: FsckReport,
  item: Item,
  repo: string,
  digest: Digest,
): Promise<void> {
  const record = manifestOf(item, repo, digest)!
  const where = `manifest ${digest} of ${record.home.name}`
  const error = (what: string) => report.findings.push({ severity: 'error', where, what })
  report.manifests += 1
  let bytes: Uint8Array
  try {
    bytes = await bytesOf(registry, record, await registry.metadata.get(keys.manifestBytes(repo, digest)))
  } catch (cause) {
    return void error((cause as Error).message)
  }
  const actual = digestOf(bytes, algorithmOf(digest))
  if (actual !== digest) return void error(`its bytes have digest ${actual}`)
  const manifest = parseManifest(bytes, record.mediaType)
  const project = await findProject(registry, projectOf(record.home.name))
  const cache = project?.registryId !== undefined
  const incomplete = cache || project?.allowMissingChildren
  const wanted: [Key, string][] = [
    ...(cache ? [] : manifest.blobs).map(({ digest: blob }): [Key, string] => [
      keys.link(repo, blob),
      `blob ${blob}`,
    ]),
    ...(incomplete ? [] : manifest.children).map(({ digest: child }): [Key, string] => [
      keys.manifest(repo, child),
      `manifest ${child}`,
    ]),
    ...referenceKeys(repo, digest, manifest, record.birth).map((key): [Key, string] => [
      key,
      `the reference ${key.pk} ${key.sk}`,
    ]),
  ]
  for (let at = 0; at < wanted.length; at += READ_AT_ONCE) {
    const group = wanted.slice(at, at + READ_AT_ONCE)
    const items = await registry.metadata.batchGet(group.map(([key]) => key))
    for (const [index, [, name]] of group.entries())
      if (!items[index]) error(`needs ${name}, which is missing`)
  }
}

/** Only undo and the end of the window read these bytes again, which is late to find them missing. */
async function checkDeleted(
  registry: Registry,
  report: FsckReport,
  item: Item,
  digest: Digest,
): Promise<void> {
  const object = item.attributes.object
  if (typeof object !== 'string' || (await registry.blobs.stat(object))) return
  report.findings.push({
    severity: 'error',
    where: `deleted manifest ${digest} of ${text(item, 'name')}`,
    what: `its bytes ${object} are missing: it cannot be brought back`,
  })
}

async function checkTag(
  registry: Registry,
  report: FsckReport,
  item: Item,
  repo: string,
  name: string,
): Promise<void> {
  const tag = tagOf(item, name)!
  const where = `tag ${name} of repository ${repo}`
  const history = await tagHistory(registry, repo, name, HISTORY_CHECKED)
  if (history[0]?.hash !== tag.head || !historyIsWhole(repo, name, history))
    report.findings.push({ severity: 'error', where, what: 'its history was altered' })
  if (!tag.digest) return
  report.tags += 1
  const manifest = await registry.metadata.get(keys.manifest(repo, tag.digest))
  if (!manifest || text(manifest, 'birth') !== tag.birth)
    report.findings.push({ severity: 'error', where, what: `names manifest ${tag.digest}, which is missing` })
}

async function expectItem(registry: Registry, report: FsckReport, key: Key, where: string): Promise<void> {
  if (!(await registry.metadata.get(key)))
    report.findings.push({ severity: 'error', where, what: 'leads to nothing' })
}
