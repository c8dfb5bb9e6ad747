// What each request of a client asks of AWS's services: calls as docs/evidence/calls.md counts them, units of DynamoDB as a
// test counts them in the registry itself.

const QUANTITIES = [
  /** Requests of clients, at the edge or at the load balancer. */
  'requests',
  /** Those that API Gateway and a function answer. */
  'apiCalls',
  'apiSeconds',
  /** Calls of the function behind the requests, for events and direct uploads. */
  'relayCalls',
  's3Writes',
  's3Reads',
  /** Told to EventBridge: by S3, and by the relay. */
  'events',
  'readUnits',
  'writeUnits',
  /** Of the edge's key-value store. */
  'keyReads',
] as const

export type Quantity = (typeof QUANTITIES)[number]
export type Quantities = Record<Quantity, number>

/** Of a function of 1 GB that waits for DynamoDB once or twice. */
const API_SECONDS = 0.025
/** With a password to hash, on half a processor. */
const TOKEN_SECONDS = 0.15

const api = { requests: 1, apiCalls: 1, apiSeconds: API_SECONDS }

export const OPERATIONS = {
  /** /v2/ without login, answered where it arrives. */
  ping: { requests: 1 },
  token: { ...api, apiSeconds: TOKEN_SECONDS, readUnits: 6 },
  missingBlob: { ...api, readUnits: 2 },
  /** Where clients put blobs into the bucket themselves, who may push misses one only after a look into it. */
  look: { s3Writes: 1 },
  startUpload: { ...api, readUnits: 1 },
  /** Whole, into S3; registered by S3's event. */
  directUpload: {
    requests: 1,
    keyReads: 2,
    s3Writes: 1,
    s3Reads: 1,
    events: 1,
    relayCalls: 1,
    readUnits: 2,
    writeUnits: 10,
  },
  /** PATCH and PUT, through the tasks. What is above 13 MiB goes in parts: {@link STREAMED_GIB}. */
  streamedUpload: { requests: 2, s3Writes: 1, events: 1, readUnits: 1, writeUnits: 15 },
  /** That moves a tag; a new tag takes four write units less. */
  manifestPush: { ...api, readUnits: 4, writeUnits: 20 },
  /** What each blob that it names adds. */
  manifestPushBlob: { readUnits: 1, writeUnits: 1.3 },
  relay: { relayCalls: 1, events: 1, readUnits: 18, writeUnits: 20 },
  relayBlob: { writeUnits: 2.2 },
  /** By tag; what was pulled how often is written once a minute at most, here counted with every pull. */
  manifestPull: { ...api, readUnits: 8, writeUnits: 4 },
  blobPull: { ...api, readUnits: 1, s3Reads: 1 },
} satisfies Record<string, Partial<Quantities>>

/** Parts of uploads in parts: 30 MiB take five calls more than a small blob. */
const STREAMED_GIB: Partial<Quantities> = { s3Writes: 200 }

export interface Traffic {
  pushes: number
  pulls: number
  /** Blobs an image has, its configuration among them. */
  blobs: number
  gibPushed: number
  /** Whether clients may put blobs into S3 themselves. */
  direct: boolean
  /** Share of uploads that are streamed, from 0 to 1. */
  streamedShare: number
}

/** @returns what a month of such traffic asks for */
export function quantitiesOf({
  pushes,
  pulls,
  blobs,
  gibPushed,
  direct,
  streamedShare,
}: Traffic): Quantities {
  const {
    ping,
    token,
    missingBlob,
    look,
    startUpload,
    directUpload,
    streamedUpload,
    manifestPush,
    manifestPushBlob,
    relay,
    relayBlob,
    manifestPull,
    blobPull,
  } = OPERATIONS
  const uploads = pushes * blobs
  const asked: [number, Partial<Quantities>][] = [
    [pushes + pulls, ping],
    [pushes + pulls, token],
    [uploads, missingBlob],
    [direct ? uploads : 0, look],
    [uploads, startUpload],
    [uploads * (1 - streamedShare), directUpload],
    [uploads * streamedShare, streamedUpload],
    [gibPushed * streamedShare, STREAMED_GIB],
    [pushes, manifestPush],
    [uploads, manifestPushBlob],
    [pushes, relay],
    [uploads, relayBlob],
    [pulls, manifestPull],
    [pulls * blobs, blobPull],
  ]
  return Object.fromEntries(
    QUANTITIES.map((name) => [
      name,
      asked.reduce((sum, [times, each]) => sum + times * ((each as Partial<Quantities>)[name] ?? 0), 0),
    ]),
  ) as Quantities
}
