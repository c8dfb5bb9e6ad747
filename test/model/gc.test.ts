// The model test of docs/gc.md: random interleavings of the real code, a crash at every step.
// MODEL_STEPS sets how many port calls are scheduled at least (100,000 in `npm run test:all`).
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { memoryBlobStore, memoryMetadataStore } from '../support/memory-stores.ts'
import { history } from './histories.ts'
import { play, random } from './play.ts'
import type { Variant } from './sabotage.ts'
import { World } from './world.ts'

const STEPS = Number(process.env.MODEL_STEPS ?? (process.env.SABOTAGE ? 1_000_000 : 15_000))
const VARIANT = (process.env.SABOTAGE?.startsWith('gc-') ? process.env.SABOTAGE : 'right') as Variant
const SEED = Number(process.env.MODEL_SEED ?? Date.now() % 1_000_000_000)
const DAY_MS = 86_400_000

function freshWorld(seed: number): World {
  const clock = { nowMs: 20_000 * DAY_MS }
  // Half of the runs as on a store where small uploads are objects at once.
  const blobs = memoryBlobStore(() => clock.nowMs, seed % 2 === 0 ? 0 : 1_000_000)
  return new World(VARIANT, clock, { metadata: memoryMetadataStore(), blobs })
}

test(`nothing acknowledged is lost and nothing unused is kept, whatever the interleaving and the crashes (seed ${SEED})`, async () => {
  let steps = 0
  for (let batch = 0; steps < STEPS; batch++) {
    await fc.assert(
      fc.asyncProperty(history, fc.nat(), async (operations, seed) => {
        steps += await play(freshWorld(seed), operations, random(seed))
      }),
      { numRuns: 20, seed: SEED + batch, endOnFailure: VARIANT !== 'right' },
    )
  }
  expect(steps).toBeGreaterThanOrEqual(STEPS)
}, 900_000)
