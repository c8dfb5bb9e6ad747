// After the table was restored to a point in time: objects it names may have been deleted since. The bucket is
// versioned, so what is deleted has a marker on top of it; taking the marker away brings it back.
import { DeleteObjectCommand, ListObjectVersionsCommand } from '@aws-sdk/client-s3'
import { objectKeys } from '../registry/object-keys.ts'
import type { Item } from '../registry/ports.ts'
import type { Registry } from '../registry/registry.ts'
import { scanItems } from '../registry/scan.ts'
import { calling } from './failures.ts'
import type { Bucket } from './multipart-writer.ts'

export interface Recovery {
  /** Objects the table names. */
  named: number
  /** Of these: deleted since, and back. */
  recovered: number
  /** Keys of which no version is left. */
  lost: string[]
}

export async function recoverObjects(registry: Registry, bucket: Bucket): Promise<Recovery> {
  const there = new Set<string>()
  for await (const { key } of registry.blobs.list(objectKeys.all)) there.add(key)
  const named = new Set<string>()
  const recovery: Recovery = { named: 0, recovered: 0, lost: [] }
  for await (const item of scanItems(registry)) {
    const key = objectOf(item)
    if (key === undefined || named.has(key)) continue
    named.add(key)
    if (there.has(key)) continue
    if (await removeMarkers(bucket, key)) recovery.recovered += 1
    else recovery.lost.push(key)
  }
  recovery.named = named.size
  return recovery
}

/** Links, manifests and deleted manifests name the objects that hold their bytes. */
function objectOf({ pk, sk, attributes }: Item): string | undefined {
  const names =
    (pk.startsWith('L#') && sk === 'L') || (pk.startsWith('M#') && (sk === 'M' || sk.startsWith('X#')))
  return names && typeof attributes.object === 'string' ? attributes.object : undefined
}

/** @returns whether a version with bytes is on top now */
async function removeMarkers(bucket: Bucket, key: string): Promise<boolean> {
  const { client, name: Bucket } = bucket
  const found = await calling('blob storage', () =>
    client.send(new ListObjectVersionsCommand({ Bucket, Prefix: key })),
  )
  for (const { Key, VersionId } of found.DeleteMarkers ?? [])
    if (Key === key)
      await calling('blob storage', () =>
        client.send(new DeleteObjectCommand({ Bucket, Key: key, VersionId: VersionId! })),
      )
  return (found.Versions ?? []).some(({ Key }) => Key === key)
}
