// The model test of docs/gc.md: random interleavings of the real code, a crash at every step.
// MODEL_STEPS sets how many port calls are scheduled at least (100,000 in `npm run test:all`).
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BLOBS, MANIFESTS } from './content.ts'
import { type Operation, REPOSITORIES, TAGS } from './operations.ts'
import type { Variant } from './sabotage.ts'
import { World } from './world.ts'

const STEPS = Number(process.env.MODEL_STEPS ?? 15_000)
const VARIANT = (process.env.SABOTAGE?.startsWith('gc-') ? process.env.SABOTAGE : 'right') as Variant
const SEED = Number(process.env.MODEL_SEED ?? Date.now() % 1_000_000_000)
const HOUR_MS = 3_600_000
const AT_ONCE = 4

/** Mostly the first, so that operations meet. */
const repo = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(REPOSITORIES.length - 1))
const manifest = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.nat(MANIFESTS.length - 1))
const tag = fc.nat(TAGS.length - 1)
const blob = fc.nat(BLOBS.length - 1)
const tagOrNone = fc.option(tag, { freq: 3 })

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('push' as const),
      repo,
      manifest,
      tag: tagOrNone,
      mount: fc.boolean(),
      chunked: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('put manifest' as const), repo, manifest, tag: tagOrNone }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('upload' as const), repo, blob, twice: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete manifest' as const), repo, manifest }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete tag' as const), repo, tag }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('delete blob' as const), repo, blob }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('undo tag' as const), repo, tag }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('undo manifest' as const), repo, manifest }) },
  { weight: 6, arbitrary: fc.constant({ kind: 'sweep' as const }) },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), hours: fc.constantFrom(2, 30, 72) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'relay' as const }) },
)

/** Plays the operations under one schedule. @returns port calls made */
async function play(operations: Operation[], schedule: () => number): Promise<number> {
  const world = new World(VARIANT)
  await world.open()
  const waiting = [...operations]
  for (;;) {
    const { running } = world.scheduler
    const choice = schedule()
    const [next] = waiting
    if (next?.kind === 'wait' && world.idle) {
      waiting.shift()
      world.nowMs += next.hours * HOUR_MS
    } else if (
      next &&
      next.kind !== 'wait' &&
      (running.length === 0 || (running.length < AT_ONCE && choice % 3 === 0))
    ) {
      await world.start(waiting.shift()!)
    } else if (running.length > 0) {
      const actor = running[choice % running.length]!
      if (choice % 97 === 0) world.crash(actor)
      else await world.scheduler.step(actor, choice >> 8)
    } else {
      break
    }
    await world.check()
  }
  await world.settle()
  return world.scheduler.steps
}

/** A small generator of its own, so that a failing schedule is one number. */
function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state >>> 4
  }
}

test(`nothing acknowledged is lost and nothing unused is kept, whatever the interleaving and the crashes (seed ${SEED})`, async () => {
  let steps = 0
  for (let batch = 0; steps < STEPS; batch++) {
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { minLength: 3, maxLength: 14 }),
        fc.nat(),
        async (operations, seed) => {
          steps += await play(operations, random(seed))
        },
      ),
      { numRuns: 20, seed: SEED + batch, endOnFailure: VARIANT !== 'right' },
    )
  }
  expect(steps).toBeGreaterThanOrEqual(STEPS)
}, 900_000)
