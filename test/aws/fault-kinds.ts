// The ways S3 and DynamoDB fail, as they say it themselves.
import type { Fault, StoreCall } from '../support/store-proxy.ts'

/** @returns undefined when a call of that kind cannot fail so */
type FaultOf = (call: StoreCall) => Fault | undefined

function s3Error(status: number, code: string, more = '', headers: Record<string, string> = {}): Fault {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}</Message>${more}<RequestId>F</RequestId></Error>`
  return { kind: 'answer', status, headers: { 'content-type': 'application/xml', ...headers }, body }
}

function dynamoError(status: number, name: string, more: object = {}): Fault {
  const __type = `com.amazonaws.dynamodb.v20120810#${name}`
  const body = JSON.stringify({ __type, message: name, Message: name, ...more })
  return { kind: 'answer', status, headers: { 'content-type': 'application/x-amz-json-1.0' }, body }
}

const onS3 =
  (fault: () => Fault): FaultOf =>
  (call) =>
    call.store === 's3' ? fault() : undefined
const onDynamo =
  (fault: () => Fault): FaultOf =>
  (call) =>
    call.store === 'dynamodb' ? fault() : undefined
const onOperation =
  (pattern: RegExp, fault: () => Fault): FaultOf =>
  (call) =>
    pattern.test(call.operation) ? fault() : undefined

/** Not a fault but a lie, which the tests must find out. */
export const LIE: FaultOf = onOperation(/TransactWrite/, () => ({
  kind: 'answer',
  status: 200,
  headers: { 'content-type': 'application/x-amz-json-1.0' },
  body: '{}',
}))

export const FAULTS: Record<string, FaultOf> = {
  SlowDown: onS3(() => s3Error(503, 'SlowDown')),
  'InternalError of S3': onS3(() => s3Error(500, 'InternalError')),
  ProvisionedThroughputExceeded: onDynamo(() => dynamoError(400, 'ProvisionedThroughputExceededException')),
  'InternalServerError of DynamoDB': onDynamo(() => dynamoError(500, 'InternalServerError')),
  TransactionConflict: onOperation(/TransactWrite/, () =>
    dynamoError(400, 'TransactionCanceledException', {
      CancellationReasons: [{ Code: 'TransactionConflict', Message: 'conflict' }, { Code: 'None' }],
    }),
  ),
  'throttled in a transaction': onOperation(/TransactWrite/, () =>
    dynamoError(400, 'TransactionCanceledException', {
      CancellationReasons: [{ Code: 'None' }, { Code: 'ThrottlingError', Message: 'throttled' }],
    }),
  ),
  'unprocessed items': onOperation(/Batch/, () => ({ kind: 'unprocessed' })),
  'connection reset before': () => ({ kind: 'cut before' }),
  'answer lost': () => ({ kind: 'cut after' }),
  'half an answer': () => ({ kind: 'half' }),
  'no answer for 12 seconds': onDynamo(() => ({ kind: 'delay', ms: 12_000 })),
  'slow by 300 ms': () => ({ kind: 'delay', ms: 300 }),
  'wrong endpoint': onS3(() =>
    s3Error(301, 'PermanentRedirect', '<Endpoint>elsewhere.example</Endpoint>', {
      'x-amz-bucket-region': 'eu-north-1',
    }),
  ),
  'expired credentials of S3': onS3(() => s3Error(400, 'ExpiredToken')),
  'expired credentials of DynamoDB': onDynamo(() => dynamoError(400, 'ExpiredTokenException')),
  'clock skew': onS3(() =>
    s3Error(403, 'RequestTimeTooSkewed', '', { date: new Date(Date.now() + 20 * 60_000).toUTCString() }),
  ),
}
