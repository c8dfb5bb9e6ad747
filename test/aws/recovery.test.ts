// The drill: the table as it was at some moment, the bucket as it is now. Everything the table names comes back.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newSecrets } from '../../lib/access/secret-keys.ts'
import { createDynamoMetadataStore } from '../../lib/aws/dynamo-metadata-store.ts'
import { createS3BlobStore } from '../../lib/aws/s3-blob-store.ts'
import { deleteReference } from '../../lib/registry/deletion.ts'
import { sweep } from '../../lib/registry/gc/sweep.ts'
import { findManifest } from '../../lib/registry/manifests.ts'
import { prepareStore } from '../../lib/registry/prepare.ts'
import { DEFAULT_SETTINGS, newId, type Registry } from '../../lib/registry/registry.ts'
import { entrepot } from '../cli/command.ts'
import { ACTOR, byDigest, byTag, DAY_MS, pushBytes, pushImage } from '../domain/registry.ts'
import { type AwsStores, startAwsStores } from '../support/aws-stores.ts'

const NAME = 'library/app'
let aws: AwsStores
let directory: string
beforeAll(async () => {
  aws = await startAwsStores()
  directory = await mkdtemp(path.join(tmpdir(), 'entrepot-recovery-'))
})
afterAll(async () => {
  await aws.stop()
  await rm(directory, { recursive: true, force: true })
})

function registryOn(table: string, bucket: string, clock: { now: number }): Registry {
  return {
    metadata: createDynamoMetadataStore(aws.dynamodb, table),
    blobs: createS3BlobStore({ client: aws.s3, name: bucket }),
    clock: { nowMs: () => clock.now },
    settings: { ...DEFAULT_SETTINGS, undoWindowMs: DAY_MS },
    newId: () => newId(clock.now),
    onEvent: () => {},
  }
}

/** A point in time, as AWS would restore it: all items into a new table. */
async function restorePoint(from: Registry, to: Registry): Promise<void> {
  for (let page = await from.metadata.scan(undefined, 500); page.length > 0; ) {
    await to.metadata.batchWrite(page.map((item) => ({ kind: 'put', item })))
    page = await from.metadata.scan(page.at(-1), 500)
  }
}

test('a restored table finds every object it names, also those collected since', async () => {
  await aws.create('live')
  await aws.create('restored')
  const clock = { now: Date.now() }
  const live = registryOn('live', 'live', clock)
  await prepareStore(live)
  const image = await pushImage(live, NAME, 'v1', { layer: 'x'.repeat(100_000) })
  const config = { mediaType: 'application/x', digest: image.layer, size: 100_000 }
  const body = { schemaVersion: 2, config, layers: [], annotations: { long: 'y'.repeat(70_000) } }
  const large = await pushBytes(
    live,
    NAME,
    'large',
    Buffer.from(JSON.stringify(body)),
    'application/vnd.oci.image.manifest.v1+json',
  )

  await restorePoint(live, registryOn('restored', 'live', clock))
  for (const digest of [image.digest, large]) await deleteReference(live, NAME, byDigest(digest), ACTOR)
  for (let day = 0; day < 8; day++) {
    clock.now += DAY_MS
    await sweep(live, 'test')
  }
  const left: string[] = []
  for await (const { key } of live.blobs.list('b/')) left.push(key)
  expect(left).toEqual([])

  const secrets = path.join(directory, 'none.json')
  const env = {
    ...aws.env,
    ENTREPOT_STORES: 'aws',
    ENTREPOT_TABLE: 'restored',
    ENTREPOT_BUCKET: 'live',
    ENTREPOT_SECRETS: `file:${secrets}`,
  }
  await writeFile(secrets, JSON.stringify(await newSecrets()))
  const damaged = await entrepot(['fsck'], env)
  expect([damaged.code, damaged.stdout]).toEqual([1, expect.stringContaining('is missing')])
  const recovered = await entrepot(['doctor', 'restore'], env)
  expect([recovered.code, recovered.stdout.trim()]).toEqual([
    0,
    '3 objects are named, 3 were deleted since and are back, 0 are lost',
  ])
  const again = await entrepot(['doctor', 'restore'], env)
  expect(again.stdout).toContain('3 objects are named, 0 were deleted since')
  for (const command of ['fsck', 'scrub']) expect((await entrepot([command], env)).code).toBe(0)
  const restored = registryOn('restored', 'live', clock)
  expect(Buffer.from((await findManifest(restored, NAME, byTag('v1'))).bytes)).toEqual(image.bytes)
  expect((await findManifest(restored, NAME, byTag('large'))).record.digest).toBe(large)
}, 60_000)
