// The bucket behind the edge: origin access control signs what the function made of the request, and S3 refuses what was
// not signed, what does not hash as said, and what the bucket's policy does not allow.
import { Readable } from 'node:stream'
import { S3Client } from '@aws-sdk/client-s3'
import { SignatureV4 } from '@smithy/signature-v4'
import { evaluate, type Policy } from '../support/iam.ts'
import { holds } from './limits.ts'
import { type Origin, type OriginAnswer, passOn } from './origin.ts'

export interface BucketOriginOptions {
  /** The strict server. */
  endpoint: string
  bucket: string
  credentials: { accessKeyId: string; secretAccessKey: string }
  region: string
  account: string
  /** As it was deployed. */
  policy(): Policy
}

/** Orders a header gives to S3, as its policies name them. */
const CONTEXT =
  /^x-amz-(acl|copy-source|storage-class|website-redirect-location|grant-.*|server-side-encryption.*)$/

/** What origin access control signs, besides the host. */
const SIGNED = ['x-amz-cf-id', 'x-amz-content-sha256', 'x-amz-date']

export function bucketOrigin(options: BucketOriginOptions): Origin {
  const { endpoint, bucket, credentials, region, account } = options
  const { sha256 } = new S3Client({ region }).config
  const signer = new SignatureV4({
    service: 's3',
    region,
    credentials,
    sha256,
    uriEscapePath: false,
    applyChecksum: false,
  })
  const host = new URL(endpoint).host
  return async (request) => {
    const { method } = request
    // With `always`, whatever the viewer sent as Authorization is replaced.
    const { authorization: _, host: __, ...kept } = request.headers
    const headers = Object.fromEntries(
      Object.entries(kept).map(([name, value]) => [name, [value].flat().join(',')]),
    )
    if (method === 'PUT' && headers['x-amz-content-sha256'] === undefined)
      return refuse('AccessDenied', 'x-amz-content-sha256 is required')
    const [uri] = request.target.split('?') as [string]
    const denied = refusedByPolicy(options.policy(), {
      action: method === 'PUT' ? 's3:PutObject' : method === 'DELETE' ? 's3:DeleteObject' : 's3:GetObject',
      resource: `arn:aws:s3:::${bucket}${uri}`,
      principal: 'Service:cloudfront.amazonaws.com',
      context: {
        'aws:SecureTransport': 'true',
        'aws:SourceAccount': account,
        'aws:SourceArn': `arn:aws:cloudfront::${account}:distribution/TWIN`,
        ...Object.fromEntries(
          Object.entries(headers).flatMap(([name, value]) =>
            CONTEXT.test(name) ? [[`s3:${name}`, value]] : [],
          ),
        ),
      },
    })
    if (denied) return refuse('AccessDenied', 'Access Denied')
    const hash = holds('payload-hash')
      ? (headers['x-amz-content-sha256'] ?? 'UNSIGNED-PAYLOAD')
      : 'UNSIGNED-PAYLOAD'
    const path = `/${bucket}${uri}`
    // The S3 server itself refuses what begins with x-amz and nobody signed.
    const covered = Object.entries(headers).filter(
      ([name]) => name.startsWith('x-amz-') && (SIGNED.includes(name) || !holds('unsigned-headers')),
    )
    const signed = await signer.sign({
      method,
      protocol: 'http:',
      hostname: host.split(':')[0]!,
      port: Number(host.split(':')[1]),
      path,
      query: {},
      headers: { ...Object.fromEntries(covered), host, 'x-amz-content-sha256': hash },
    })
    return passOn(endpoint, { ...request, target: path, headers: { ...headers, ...signed.headers } })
  }
}

function refusedByPolicy(policy: Policy, access: Parameters<typeof evaluate>[1]): boolean {
  return holds('bucket-policy') && !evaluate([policy], access).allowed
}

function refuse(code: string, message: string): OriginAnswer {
  const body = Buffer.from(
    `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`,
  )
  const headers = { 'content-type': 'application/xml', 'content-length': String(body.length) }
  return { status: 403, headers, body: Readable.from([body]) }
}
