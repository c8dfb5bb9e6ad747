// The model test of docs/gc.md on S3 and DynamoDB: the same histories, schedules and crashes.
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDynamoMetadataStore } from '../../lib/aws/dynamo-metadata-store.ts'
import { createS3BlobStore } from '../../lib/aws/s3-blob-store.ts'
import type { BlobStore } from '../../lib/registry/ports.ts'
import { history } from '../model/histories.ts'
import { play, random } from '../model/play.ts'
import type { Variant } from '../model/sabotage.ts'
import { type ModelClock, World } from '../model/world.ts'
import { type AwsStores, startAwsStores } from '../support/aws-stores.ts'

const STEPS = Number(process.env.MODEL_STEPS ?? (process.env.SABOTAGE ? 200_000 : 4000))
const VARIANT = (process.env.SABOTAGE?.startsWith('gc-') ? process.env.SABOTAGE : 'right') as Variant
const SEED = Number(process.env.MODEL_SEED ?? Date.now() % 1_000_000_000)
const CHECK_EVERY = 20

let aws: AwsStores
let made = 0
beforeAll(async () => {
  aws = await startAwsStores()
})
afterAll(() => aws.stop())

async function freshWorld(): Promise<World> {
  const name = `model-${made++}`
  await aws.create(name)
  const clock = { nowMs: Date.now() }
  const blobs = onModelTime(createS3BlobStore({ client: aws.s3, name }), clock)
  return new World(VARIANT, clock, { metadata: createDynamoMetadataStore(aws.dynamodb, name), blobs })
}

/** S3 dates objects by the real clock, which stands still beside the model's. */
function onModelTime(store: BlobStore, clock: ModelClock): BlobStore {
  const seen = new Map<string, number>()
  const dated = <T extends { key: string; modifiedAtMs: number }>(object: T): T => {
    const modifiedAtMs = seen.get(object.key) ?? clock.nowMs
    seen.set(object.key, modifiedAtMs)
    return { ...object, modifiedAtMs }
  }
  return {
    ...store,
    put: async (key, body) => {
      seen.set(key, clock.nowMs)
      return store.put(key, body)
    },
    append: async (...args) => {
      const appended = await store.append(...args)
      if (appended.object !== undefined) seen.set(appended.object, clock.nowMs)
      return appended
    },
    stat: async (key) => {
      const found = await store.stat(key)
      return found && dated(found)
    },
    async *list(prefix) {
      for await (const object of store.list(prefix)) yield dated(object)
    },
  }
}

test(`nothing acknowledged is lost and nothing unused is kept, whatever the interleaving and the crashes (seed ${SEED})`, async () => {
  let steps = 0
  for (let batch = 0; steps < STEPS; batch++) {
    await fc.assert(
      fc.asyncProperty(history, fc.nat(), async (operations, seed) => {
        steps += await play(await freshWorld(), operations, random(seed), CHECK_EVERY)
      }),
      { numRuns: 3, seed: SEED + batch, endOnFailure: true },
    )
  }
  expect(steps).toBeGreaterThanOrEqual(STEPS)
}, 1_800_000)
