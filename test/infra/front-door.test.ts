// The front door as it is synthesised: what the edge may, where requests go, and that nothing dynamic is ever cached.
import { CachePolicy, OriginRequestPolicy, ResponseHeadersPolicy } from 'aws-cdk-lib/aws-cloudfront'
import { describe, expect, test } from 'vitest'
import { evaluate, type Policy } from '../support/iam.ts'
import { ENV, synthesise } from '../support/synthesis.ts'

interface Behaviour {
  PathPattern?: string
  TargetOriginId: string
  CachePolicyId: string
  OriginRequestPolicyId?: string
  Compress: boolean
  AllowedMethods: string[]
  ViewerProtocolPolicy: string
  FunctionAssociations?: { EventType: string; FunctionARN: string }[]
}
interface Distribution {
  Origins: {
    Id: string
    DomainName: string
    OriginAccessControlId?: string
    OriginCustomHeaders?: { HeaderName: string }[]
    VpcOriginConfig?: object
  }[]
  DefaultCacheBehavior: Behaviour
  CacheBehaviors: Behaviour[]
  CustomErrorResponses: { ErrorCode: number; ErrorCachingMinTTL: number; ResponsePagePath?: string }[]
  Aliases?: string[]
}

const made = synthesise()
const distribution = made.ofType('AWS::CloudFront::Distribution')[0]!.Properties
  .DistributionConfig as Distribution

/** Every status CloudFront keeps errors of, by its documentation. */
const CACHED_ERRORS = [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504]

test('no behaviour leads to the blobs: only the function selects them', () => {
  expect(distribution.Origins.map(({ Id }) => Id)).toContain('blobs')
  for (const each of [distribution.DefaultCacheBehavior, ...distribution.CacheBehaviors])
    expect(each.TargetOriginId).not.toBe('blobs')
})

test('every path of the API goes there uncached, whole and uncompressed, by HTTPS alone, through both functions', () => {
  expect(distribution.CacheBehaviors.map(({ PathPattern }) => PathPattern)).toEqual([
    '/v2',
    '/v2/*',
    '/service/*',
    '/api/*',
    '/c/*',
  ])
  for (const each of distribution.CacheBehaviors) {
    expect(each.TargetOriginId).toBe('api')
    expect(each.CachePolicyId).toBe(CachePolicy.CACHING_DISABLED.cachePolicyId)
    expect(each.OriginRequestPolicyId).toBe(
      OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER.originRequestPolicyId,
    )
    expect(each.Compress).toBe(false)
    expect(each.ViewerProtocolPolicy).toBe('https-only')
    expect([...each.AllowedMethods].sort()).toEqual([
      'DELETE',
      'GET',
      'HEAD',
      'OPTIONS',
      'PATCH',
      'POST',
      'PUT',
    ])
    expect(each.FunctionAssociations!.map(({ EventType }) => EventType).sort()).toEqual([
      'viewer-request',
      'viewer-response',
    ])
  }
})

test('no error is kept, and none is replaced by a page', () => {
  expect(distribution.CustomErrorResponses.map(({ ErrorCode }) => ErrorCode).sort()).toEqual(CACHED_ERRORS)
  for (const { ErrorCachingMinTTL, ResponsePagePath } of distribution.CustomErrorResponses) {
    expect(ErrorCachingMinTTL).toBe(0)
    expect(ResponsePagePath).toBeUndefined()
  }
})

test('the console is only read, and nothing of the API is below it', () => {
  const { DefaultCacheBehavior: console } = distribution
  expect(console.TargetOriginId).toBe('console')
  expect(console.AllowedMethods).toEqual(['GET', 'HEAD'])
  expect(console.CachePolicyId).toBe(CachePolicy.CACHING_OPTIMIZED.cachePolicyId)
  expect((console as { ResponseHeadersPolicyId?: string }).ResponseHeadersPolicyId).toBe(
    ResponseHeadersPolicy.SECURITY_HEADERS.responseHeadersPolicyId,
  )
})

test('buckets are reached signed, always, so that a client’s Authorization never is', () => {
  const controls = made.ofType('AWS::CloudFront::OriginAccessControl')
  expect(controls).toHaveLength(2)
  for (const { Properties } of controls)
    expect(Properties.OriginAccessControlConfig).toMatchObject({
      SigningBehavior: 'always',
      SigningProtocol: 'sigv4',
      OriginAccessControlOriginType: 's3',
    })
})

test('API and ingest get the edge’s secret, which is in no template', () => {
  for (const id of ['api', 'ingest']) {
    const { OriginCustomHeaders } = distribution.Origins.find(({ Id }) => Id === id)!
    expect(OriginCustomHeaders).toEqual([
      {
        HeaderName: 'x-entrepot-origin',
        HeaderValue: expect.stringMatching(/^\{\{resolve:secretsmanager:.*:origin\}\}$/),
      },
    ])
  }
  expect(distribution.Origins.find(({ Id }) => Id === 'blobs')!.OriginCustomHeaders ?? []).toEqual([])
})

test('ingest is reached within the VPC, and its load balancer from nowhere else', () => {
  expect(distribution.Origins.find(({ Id }) => Id === 'ingest')!.VpcOriginConfig).toBeDefined()
  const [balancer] = made.ofType('AWS::ElasticLoadBalancingV2::LoadBalancer')
  expect(balancer!.Properties.Scheme).toBe('internal')
  const open = Object.values(made.resources.ingest!).flatMap(({ Type, Properties }) =>
    Type === 'AWS::EC2::SecurityGroup'
      ? ((Properties.SecurityGroupIngress as { CidrIp: string }[] | undefined) ?? [])
      : [],
  )
  expect(open.map(({ CidrIp }) => CidrIp)).not.toContain('0.0.0.0/0')
})

test('the functions know which store holds their keys, and are small enough', () => {
  const functions = made.ofType('AWS::CloudFront::Function')
  expect(functions).toHaveLength(2)
  for (const { Properties } of functions) {
    expect(Properties.FunctionConfig).toMatchObject({ Runtime: 'cloudfront-js-2.0' })
    expect(Properties.AutoPublish).toBe(true)
    expect(Buffer.byteLength(Properties.FunctionCode as string)).toBeLessThanOrEqual(10_240)
  }
})

describe('the bucket’s policy, for CloudFront', () => {
  const bucket = Object.entries(made.resources.data!).find(([, { Type }]) => Type === 'AWS::S3::Bucket')![0]
  const policy = made.resources.data![
    Object.keys(made.resources.data!).find(
      (id) => made.resources.data![id]!.Type === 'AWS::S3::BucketPolicy',
    )!
  ]!.Properties.PolicyDocument as Policy
  const may = (action: string, key: string, context: Record<string, string> = {}) =>
    evaluate([policy], {
      action,
      resource: key === '' ? `arn:aws:s3:::${bucket}` : `arn:aws:s3:::${bucket}/${key}`,
      principal: 'Service:cloudfront.amazonaws.com',
      context: {
        'aws:SecureTransport': 'true',
        'aws:SourceAccount': ENV.account,
        'aws:SourceArn': `arn:aws:cloudfront::${ENV.account}:distribution/E123`,
        ...context,
      },
    }).allowed

  test('it may put blobs', () => {
    expect(may('s3:PutObject', 'b/repo/sha256/ab/session')).toBe(true)
  })
  test.each([
    ['put anything else', 's3:PutObject', 'm/other', {}],
    ['read', 's3:GetObject', 'b/repo/sha256/ab/session', {}],
    ['list', 's3:ListBucket', '', {}],
    ['delete', 's3:DeleteObject', 'b/repo/sha256/ab/session', {}],
    ['tag', 's3:PutObjectTagging', 'b/repo/sha256/ab/session', {}],
    ['change rights', 's3:PutObjectAcl', 'b/repo/sha256/ab/session', {}],
    ['copy', 's3:PutObject', 'b/k', { 's3:x-amz-copy-source': 'x/y' }],
    ['set rights', 's3:PutObject', 'b/k', { 's3:x-amz-acl': 'public-read' }],
    ['choose a class', 's3:PutObject', 'b/k', { 's3:x-amz-storage-class': 'GLACIER' }],
    ['redirect', 's3:PutObject', 'b/k', { 's3:x-amz-website-redirect-location': '/' }],
    ['act for another account', 's3:PutObject', 'b/k', { 'aws:SourceAccount': '999999999999' }],
    [
      'come from elsewhere than a distribution of this account',
      's3:PutObject',
      'b/k',
      { 'aws:SourceArn': 'arn:aws:cloudfront::999999999999:distribution/E' },
    ],
    ['come in the clear', 's3:PutObject', 'b/k', { 'aws:SecureTransport': 'false' }],
  ])('it may not %s', (_what, action, key, context) => {
    expect(may(action, key, context as Record<string, string>)).toBe(false)
  })
})

test('with a domain of one’s own: its name, its certificate, TLS 1.2 at least', () => {
  const certificateArn = 'arn:aws:acm:us-east-1:111122223333:certificate/1'
  const [own] = synthesise({ domain: { name: 'registry.example.com', certificateArn } }).ofType(
    'AWS::CloudFront::Distribution',
  )
  expect(own!.Properties.DistributionConfig).toMatchObject({
    Aliases: ['registry.example.com'],
    ViewerCertificate: { AcmCertificateArn: certificateArn, MinimumProtocolVersion: 'TLSv1.2_2021' },
  })
})
