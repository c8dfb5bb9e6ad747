// Accessories of an artifact: what names it as its subject, and the signatures older cosigns put beside it by a tag.
import { type AccessoryType, cosignTagOf, subjectOfCosignTag } from '../oci/accessory-type.ts'
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { keys, partitions } from '../registry/keys.ts'
import type { Registry } from '../registry/registry.ts'
import { tagOf } from '../registry/tags.ts'
import { type Accessory, accessoryIcon } from './artifact.ts'
import type { Collection, Row } from './collection.ts'
import { accessoryNumber, artifactNumber } from './ids.ts'
import { readRows } from './rows.ts'

const READ_AT_ONCE = 1000
const LIMIT = 10_000

/** @throws REQUEST_INVALID where there are more than 10,000 */
export async function readAccessories(
  registry: Registry,
  repo: string,
  subject: Digest,
): Promise<Accessory[]> {
  const digests: Digest[] = []
  for (;;) {
    const after = digests.at(-1)
    const page = await registry.metadata.query({
      pk: partitions.referrers(repo, subject),
      limit: READ_AT_ONCE,
      ...(after === undefined ? {} : { after }),
    })
    digests.push(...page.map(({ sk }) => sk as Digest))
    if (digests.length > LIMIT)
      throw new RegistryError(
        'REQUEST_INVALID',
        `${subject} has more than ${LIMIT} accessories, too many to list them`,
      )
    if (page.length < READ_AT_ONCE) break
  }
  const signature = await signatureOf(registry, repo, subject)
  const rows = await readRows(registry, repo, signature ? [...digests, signature] : digests)
  return ordered([...rows.values()].flatMap((row) => accessory(repo, subject, row, row.digest === signature)))
}

/** The manifest under the tag in which older cosigns keep a manifest's signatures. */
export async function signatureOf(
  registry: Registry,
  repo: string,
  subject: Digest,
): Promise<Digest | undefined> {
  const name = cosignTagOf(subject)
  if (name === undefined) return undefined
  return tagOf(await registry.metadata.get(keys.tag(repo, name)), name)?.digest ?? undefined
}

/** The accessories of every artifact of a collection, by the artifact's digest. */
export function accessoriesIn(repo: string, { rows }: Collection): Map<Digest, Accessory[]> {
  const found = new Map<Digest, Accessory[]>()
  const add = (subject: Digest, row: Row, byTag: boolean) => {
    const made = accessory(repo, subject, row, byTag)
    if (made.length > 0) found.set(subject, [...(found.get(subject) ?? []), ...made])
  }
  for (const row of rows.values()) {
    const { subject, simpleSigning } = row.summary
    if (subject) add(subject, row, false)
    if (!simpleSigning) continue
    for (const { name } of row.tags) {
      const signed = subjectOfCosignTag(name)
      if (signed && signed !== subject) add(signed, row, true)
    }
  }
  for (const [subject, accessories] of found) found.set(subject, ordered(accessories))
  return found
}

function accessory(repo: string, subject: Digest, row: Row, byTag: boolean): Accessory[] {
  const { summary, digest } = row
  const own = summary.subject === subject ? summary.accessory : undefined
  const type: AccessoryType | undefined =
    own ?? (byTag && summary.simpleSigning ? 'signature.cosign' : undefined)
  if (!type) return []
  return [
    {
      id: accessoryNumber(repo, subject, digest),
      artifactId: artifactNumber(repo, digest),
      subjectArtifactId: artifactNumber(repo, subject),
      subjectDigest: subject,
      digest,
      type,
      sizeBytes: row.sizeBytes,
      icon: accessoryIcon(type),
      createdAtMs: row.pushedAtMs,
    },
  ]
}

function ordered(accessories: Accessory[]): Accessory[] {
  return accessories.sort((a, b) => a.createdAtMs - b.createdAtMs || (a.digest < b.digest ? -1 : 1))
}
