// The bucket as data: the CDK app, the tests and `entrepot` set up the same one.

export const BUCKET = {
  /** Deleted objects stay as noncurrent versions: a table restored to a point in time finds its blobs. */
  versioned: true,
  /** The table's point-in-time window. */
  noncurrentDays: 35,
  /** Uploads nobody finished; a session rests for a day at most. */
  abandonedUploadDays: 2,
} as const
