// The model test of docs/gc.md: random interleavings of the real code, a crash at every step.
// MODEL_STEPS sets how many port calls are scheduled at least (100,000 in `npm run test:all`).
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { memoryBlobStore, memoryMetadataStore } from '../support/memory-stores.ts'
import { BLOBS, MANIFESTS } from './content.ts'
import { type Operation, REPOSITORIES, TAGS, type Way } from './operations.ts'
import type { Variant } from './sabotage.ts'
import type { Actor } from './scheduler.ts'
import { World } from './world.ts'

const STEPS = Number(process.env.MODEL_STEPS ?? (process.env.SABOTAGE ? 1_000_000 : 15_000))
const VARIANT = (process.env.SABOTAGE?.startsWith('gc-') ? process.env.SABOTAGE : 'right') as Variant
const SEED = Number(process.env.MODEL_SEED ?? Date.now() % 1_000_000_000)
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const AT_ONCE = 4

/** Mostly the first, so that operations meet. */
const repo = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(REPOSITORIES.length - 1))
const manifest = fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.nat(MANIFESTS.length - 1))
const tag = fc.nat(TAGS.length - 1)
const blob = fc.nat(BLOBS.length - 1)
const tagOrNone = fc.option(tag, { freq: 3 })
const way = fc.constantFrom<Way>('whole', 'chunked', 'direct')

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('push' as const),
      repo,
      manifest,
      tag: tagOrNone,
      mount: fc.boolean(),
      way,
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
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('delete repository' as const, 'undo repository' as const),
      repo,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('event' as const), which: fc.nat(20) }) },
  { weight: 6, arbitrary: fc.constant({ kind: 'sweep' as const }) },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), hours: fc.constantFrom(2, 30, 72) }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'relay' as const }) },
)

const wait = (hours: number) => fc.constant<Operation>({ kind: 'wait', hours })
const upload = (number: number) =>
  fc.constant<Operation>({ kind: 'upload', repo: 0, blob: number, twice: false })
const sweeping = fc.constant<Operation>({ kind: 'sweep' })
const delay = fc.nat(80).map((steps): Operation => ({ kind: 'delay', steps }))
const pushing = fc.record({
  kind: fc.constantFrom('push' as const, 'put manifest' as const),
  repo: fc.constant(0),
  manifest: fc.constant(0),
  tag: fc.constant(0),
  mount: fc.constant(false),
  way,
}) as fc.Arbitrary<Operation>

const uploading = fc.constant<Operation>({
  kind: 'push',
  repo: 0,
  manifest: 0,
  tag: 0,
  mount: false,
  way: 'whole',
})

/** Blobs nobody used for days, and a push of them that meets the sweep: random operations rarely get there. */
const meeting = fc.oneof(
  fc.tuple(upload(0), upload(1), wait(72), sweeping, delay, pushing, sweeping),
  fc.tuple(upload(0), upload(1), wait(72), sweeping, wait(2), sweeping, delay, uploading),
)
const history = fc.oneof(fc.array(operation, { minLength: 3, maxLength: 14 }), meeting)

/** Plays the operations under one schedule. @returns port calls made */
async function play(operations: Operation[], schedule: () => number): Promise<number> {
  const clock = { nowMs: 20_000 * DAY_MS }
  // Half of the runs as on a store where small uploads are objects at once.
  const blobs = memoryBlobStore(() => clock.nowMs, schedule() % 2 === 0 ? 0 : 1_000_000)
  const world = new World(VARIANT, clock, { metadata: memoryMetadataStore(), blobs })
  await world.open()
  const { scheduler } = world
  const waiting = [...operations]
  let startAt = 0
  let last: Actor | undefined
  for (;;) {
    const { running } = scheduler
    const choice = schedule()
    const [next] = waiting
    const startNow =
      running.length === 0 || (running.length < AT_ONCE && scheduler.steps >= startAt && choice % 3 === 0)
    if (next?.kind === 'delay') {
      waiting.shift()
      startAt = scheduler.steps + next.steps
    } else if (next?.kind === 'wait' && (next.hours < 24 ? running.length === 0 : world.idle)) {
      waiting.shift()
      clock.nowMs += next.hours * HOUR_MS
    } else if (next && next.kind !== 'wait' && startNow) {
      await world.start(waiting.shift()!)
    } else if (running.length > 0) {
      // Mostly the same one goes on, so that actors get far ahead of each other.
      if (!last || !running.includes(last) || choice % 10 < 3) last = running[choice % running.length]!
      if (choice % 197 === 0) world.crash(last)
      else await scheduler.step(last, choice >> 8)
    } else {
      break
    }
    await world.check()
  }
  await world.settle()
  return scheduler.steps
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
      fc.asyncProperty(history, fc.nat(), async (operations, seed) => {
        steps += await play(operations, random(seed))
      }),
      { numRuns: 20, seed: SEED + batch, endOnFailure: VARIANT !== 'right' },
    )
  }
  expect(steps).toBeGreaterThanOrEqual(STEPS)
}, 900_000)
