// A request to AWS as policies see it: the actions it takes and on what.
import type { IncomingMessage } from 'node:http'
import type { Call } from './witness.ts'

type Asked = Pick<Call, 'action' | 'resource'>

const REGION = 'us-east-1'

/** @param status of the answer: S3 says 404 only to who may list, and 403 to others */
export function callsOf(
  incoming: IncomingMessage,
  body: string,
  account: string,
  status: number | undefined,
): Call[] {
  const { headers } = incoming
  const presigned = incoming.url?.includes('X-Amz-Signature=') ?? false
  const agent = `${headers['user-agent']} ${headers['x-amz-user-agent']}`
  // Whoever follows a URL that a function signed acts with the function's rights.
  const program = presigned ? 'presigned' : (/app\/entrepot-([a-z]+)/.exec(agent)?.[1] ?? 'other')
  const asked = askedOf(incoming, body, account)
  const [bucket] = /^arn:aws:s3:::[^/]+/.exec(asked[0]!.resource) ?? []
  if (status === 404 && bucket) asked.push({ action: 's3:ListBucket', resource: bucket })
  return asked.map((each) => ({ program, ...each }))
}

function askedOf(incoming: IncomingMessage, body: string, account: string): Asked[] {
  const { headers, url = '/' } = incoming
  const target = headers['x-amz-target']
  if (typeof target === 'string') {
    const [service, operation] = target.split('.') as [string, string]
    const input = JSON.parse(body || '{}')
    if (service.startsWith('DynamoDB')) return dynamodb(operation, input, account)
    if (service === 'AmazonSQS')
      return [{ action: `sqs:${operation.replace(/Batch$/, '')}`, resource: queueArn(input.QueueUrl) }]
    if (service === 'secretsmanager')
      return [{ action: `secretsmanager:${operation}`, resource: input.SecretId }]
    if (service.startsWith('AmazonEC2ContainerService'))
      return [{ action: `ecs:${operation}`, resource: serviceArn(input, account) }]
    if (service === 'AWSEvents') {
      const bus = `arn:aws:events:${REGION}:${account}:event-bus/${input.Entries?.[0]?.EventBusName}`
      return [{ action: `events:${operation}`, resource: bus }]
    }
    if (service === 'AWSCognitoIdentityProviderService') {
      const resource = `arn:aws:cognito-idp:${REGION}:${account}:userpool/${input.UserPoolId}`
      return [{ action: `cognito-idp:${operation}`, resource }]
    }
    throw new Error(`a call nobody expected: ${target}`)
  }
  if (url.startsWith('/key-value-stores/')) return [keyValueStore(incoming)]
  return s3(incoming)
}

/** In a transaction each item is judged by itself. */
function dynamodb(operation: string, input: Record<string, unknown>, account: string): Asked[] {
  const arn = (table: string) => `arn:aws:dynamodb:${REGION}:${account}:table/${table}`
  if (operation === 'TransactWriteItems' || operation === 'TransactGetItems')
    return (input.TransactItems as Record<string, { TableName: string }>[]).flatMap((item) =>
      Object.entries(item).map(([kind, { TableName }]) => ({
        action: `dynamodb:${ITEM_ACTIONS[kind]}`,
        resource: arn(TableName),
      })),
    )
  if (operation === 'BatchGetItem' || operation === 'BatchWriteItem')
    return Object.keys(input.RequestItems as object).map((table) => ({
      action: `dynamodb:${operation}`,
      resource: arn(table),
    }))
  return [{ action: `dynamodb:${operation}`, resource: arn(input.TableName as string) }]
}

const ITEM_ACTIONS: Record<string, string> = {
  Put: 'PutItem',
  Delete: 'DeleteItem',
  Update: 'UpdateItem',
  ConditionCheck: 'ConditionCheckItem',
  Get: 'GetItem',
}

function s3({ method, url, headers }: IncomingMessage): Asked[] {
  const { pathname, searchParams } = new URL(url ?? '/', 'http://s3')
  const [bucket, ...rest] = decodeURIComponent(pathname).slice(1).split('/')
  const key = rest.join('/')
  const object = `arn:aws:s3:::${bucket}/${key}`
  if (key === '') return [{ action: 's3:ListBucket', resource: `arn:aws:s3:::${bucket}` }]
  const version = searchParams.has('versionId') ? 'Version' : ''
  if (method === 'GET' || method === 'HEAD') return [{ action: `s3:GetObject${version}`, resource: object }]
  if (method === 'DELETE')
    return [
      {
        action: searchParams.has('uploadId') ? 's3:AbortMultipartUpload' : `s3:DeleteObject${version}`,
        resource: object,
      },
    ]
  const source = headers['x-amz-copy-source']
  const reads =
    typeof source === 'string'
      ? [{ action: 's3:GetObject', resource: `arn:aws:s3:::${source.replace(/^\//, '')}` }]
      : []
  return [...reads, { action: 's3:PutObject', resource: object }]
}

function keyValueStore({ method, url = '' }: IncomingMessage): Asked {
  const [, resource, keys, key] =
    /^\/key-value-stores\/(.+?:key-value-store\/[^/?]+)(\/keys)?\/?([^?]+)?/.exec(decodeURIComponent(url))!
  const operation = !keys
    ? 'DescribeKeyValueStore'
    : key
      ? 'GetKey'
      : method === 'GET'
        ? 'ListKeys'
        : 'UpdateKeys'
  return { action: `cloudfront-keyvaluestore:${operation}`, resource: resource! }
}

function queueArn(url: string): string {
  const [account, name] = new URL(url).pathname.slice(1).split('/')
  return `arn:aws:sqs:${REGION}:${account}:${name}`
}

function serviceArn({ cluster, service, services }: Record<string, unknown>, account: string): string {
  const name = (service ?? (services as string[])[0]) as string
  return `arn:aws:ecs:${REGION}:${account}:service/${cluster}/${name}`
}
