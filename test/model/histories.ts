// Random histories of operations, as fast-check draws them.
import fc from 'fast-check'
import { BLOBS, MANIFESTS } from './content.ts'
import { type Operation, REPOSITORIES, TAGS, type Way } from './operations.ts'

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
export const history = fc.oneof(fc.array(operation, { minLength: 3, maxLength: 14 }), meeting)
