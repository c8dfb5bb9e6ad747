// What AWS takes away, puts in the way or may do: the twin does all of it, also what reports disagree about. Each can be
// switched off by its name, so that its test can be seen to fail.

export const LIMITS = {
  'gateway-body': 'API Gateway takes no body over 10 MB',
  'gateway-headers': 'API Gateway takes no more than 10,240 bytes of request line and headers',
  'gateway-time': 'API Gateway waits 30 seconds',
  'function-event': 'a function takes no event over 6 MB, and a body in it is base64',
  'function-answer': 'a function answers no more than 6 MB',
  challenge: 'API Gateway renames www-authenticate (contested)',
  'head-length': 'API Gateway tells the length of an answer to HEAD from the body it was given',
  'edge-errors': 'edge functions do not run on answers of 400 and above',
  'edge-query': 'query values reach edge functions percent-encoded',
  'edge-read-only': 'edge functions may not change what is read-only',
  'error-cache': 'CloudFront keeps errors for 10 seconds unless told otherwise',
  'unsigned-headers': 'S3 refuses x-amz headers that nobody signed',
  'payload-hash': 'S3 refuses a body that has not the hash in x-amz-content-sha256',
  'bucket-policy': 'S3 does what the bucket’s policy says',
} as const

export type Limit = keyof typeof LIMITS

/** Comma-separated names in TWIN_OFF. */
const off = new Set((process.env.TWIN_OFF ?? '').split(',').filter(Boolean))
for (const name of off) if (!(name in LIMITS)) throw new Error(`there is no limit ${name}`)

export function holds(limit: Limit): boolean {
  return !off.has(limit)
}

/** Runs something where that limit does not hold, in this process. */
export async function without<Result>(limit: Limit, run: () => Promise<Result>): Promise<Result> {
  if (off.has(limit)) return run()
  off.add(limit)
  try {
    return await run()
  } finally {
    off.delete(limit)
  }
}
