// How strict the stand-ins for S3 and DynamoDB are: a suite that passes on them means something only where they refuse
// what AWS refuses. What they lack is asserted as well, so that the day they learn it is noticed.
import { createHash, randomBytes } from 'node:crypto'
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DynamoDBClient,
  PutItemCommand,
  QueryCommand,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb'
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type AwsStores, startAwsStores } from '../support/aws-stores.ts'

const Bucket = 'strict'
let aws: AwsStores
beforeAll(async () => {
  aws = await startAwsStores()
  await aws.create(Bucket)
})
afterAll(() => aws.stop())

const base64 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('base64')
const put = (Key: string, Body: Buffer, more = {}) =>
  aws.s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more }))

describe('versitygw as S3', () => {
  test('refuses a wrong signature and no signature', async () => {
    const stranger = new S3Client({
      endpoint: aws.env.AWS_ENDPOINT_URL_S3!,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { accessKeyId: aws.env.AWS_ACCESS_KEY_ID!, secretAccessKey: 'another-secret' },
    })
    await expect(stranger.send(new ListObjectsV2Command({ Bucket }))).rejects.toMatchObject({
      name: 'SignatureDoesNotMatch',
    })
    stranger.destroy()
    expect((await fetch(`${aws.env.AWS_ENDPOINT_URL_S3}/${Bucket}/x`)).status).toBe(403)
  })

  test('refuses a body that does not have the hash in its signature, or in its checksum', async () => {
    await expect(
      put('wrong', Buffer.from('a'), { ChecksumSHA256: base64(Buffer.from('b')) }),
    ).rejects.toMatchObject({
      name: 'BadDigest',
    })
    const command = new PutObjectCommand({ Bucket, Key: 'hash', Body: 'a' })
    command.middlewareStack.add(
      (next) => (args) => {
        const { headers } = args.request as { headers: Record<string, string> }
        headers['x-amz-content-sha256'] = createHash('sha256').update('b').digest('hex')
        return next(args)
      },
      { step: 'build' },
    )
    await expect(aws.s3.send(command)).rejects.toMatchObject({ name: 'XAmzContentSHA256Mismatch' })
  })

  test('keeps conditions, and the parts of an upload exactly as they are listed', async () => {
    await put('once', Buffer.from('a'))
    await expect(put('once', Buffer.from('b'), { IfNoneMatch: '*' })).rejects.toMatchObject({
      name: 'PreconditionFailed',
    })
    const { UploadId } = await aws.s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'parts' }))
    const part = async (PartNumber: number, Body: Buffer) =>
      (await aws.s3.send(new UploadPartCommand({ Bucket, Key: 'parts', UploadId, PartNumber, Body }))).ETag!
    const complete = (etags: string[]) =>
      aws.s3.send(
        new CompleteMultipartUploadCommand({
          Bucket,
          Key: 'parts',
          UploadId,
          MultipartUpload: { Parts: etags.map((ETag, index) => ({ ETag, PartNumber: index + 1 })) },
        }),
      )
    const small = [await part(1, Buffer.from('a')), await part(2, Buffer.from('b'))]
    await expect(complete(small)).rejects.toMatchObject({ name: 'EntityTooSmall' })
    const first = await part(1, randomBytes(5 * 2 ** 20))
    await part(1, randomBytes(5 * 2 ** 20)) // a zombie writes over it
    await expect(complete([first, small[1]!])).rejects.toMatchObject({ name: 'InvalidPart' })
  })

  test('verifies presigned URLs', async () => {
    await put('signed', Buffer.from('abc'))
    const url = await getSignedUrl(aws.s3, new GetObjectCommand({ Bucket, Key: 'signed' }), { expiresIn: 60 })
    expect(await (await fetch(url)).text()).toBe('abc')
    expect((await fetch(url.replace('/signed', '/once'))).status).toBe(403)
  })

  test('lacks: S3 refuses a presigned URL that comes with an Authorization header, which it does not', async () => {
    const url = await getSignedUrl(aws.s3, new GetObjectCommand({ Bucket, Key: 'signed' }), { expiresIn: 60 })
    expect((await fetch(url, { headers: { authorization: 'Bearer x' } })).status).toBe(200)
  })
})

describe('dynoxide as DynamoDB', () => {
  const key = (pk: string, sk = 's') => ({ pk: { S: pk }, sk: { S: sk } })

  test('bounds transactions and batches, and refuses an item named twice', async () => {
    const items = (count: number) =>
      Array.from({ length: count }, (_, n) => ({ Put: { TableName: Bucket, Item: key(`t${n}`) } }))
    const transact = (count: number) =>
      aws.dynamodb.send(new TransactWriteItemsCommand({ TransactItems: items(count) }))
    await transact(100)
    await expect(transact(101)).rejects.toMatchObject({ name: 'ValidationException' })
    await expect(
      aws.dynamodb.send(new TransactWriteItemsCommand({ TransactItems: [...items(1), ...items(1)] })),
    ).rejects.toMatchObject({ name: 'ValidationException' })
    const requests = (count: number) =>
      Array.from({ length: count }, (_, n) => ({ PutRequest: { Item: key(`b${n}`) } }))
    await expect(
      aws.dynamodb.send(new BatchWriteItemCommand({ RequestItems: { [Bucket]: requests(26) } })),
    ).rejects.toMatchObject({ name: 'ValidationException' })
    await expect(
      aws.dynamodb.send(
        new BatchGetItemCommand({ RequestItems: { [Bucket]: { Keys: [key('a'), key('a')] } } }),
      ),
    ).rejects.toMatchObject({ name: 'ValidationException' })
  })

  test('says which condition of a transaction failed, and writes nothing of it', async () => {
    const absent = { ConditionExpression: 'attribute_not_exists(pk)' }
    await aws.dynamodb.send(new PutItemCommand({ TableName: Bucket, Item: key('taken') }))
    const failed = aws.dynamodb.send(
      new TransactWriteItemsCommand({
        TransactItems: ['free', 'taken'].map((pk) => ({
          Put: { TableName: Bucket, Item: key(pk), ...absent },
        })),
      }),
    )
    await expect(failed).rejects.toMatchObject({
      name: 'TransactionCanceledException',
      CancellationReasons: [{ Code: 'None' }, { Code: 'ConditionalCheckFailed' }],
    })
  })

  test('does a transaction that is repeated with its token once', async () => {
    const transaction = {
      ClientRequestToken: 'the-same',
      TransactItems: [
        {
          Put: { TableName: Bucket, Item: key('token'), ConditionExpression: 'attribute_not_exists(pk)' },
        },
      ],
    }
    await aws.dynamodb.send(new TransactWriteItemsCommand(transaction))
    await aws.dynamodb.send(new TransactWriteItemsCommand(transaction))
  })

  test('cuts a page at a megabyte, and refuses items above 400 KB, empty keys and keys too long', async () => {
    const bytes = { b: { B: randomBytes(300_000) } }
    for (let n = 0; n < 5; n++)
      await aws.dynamodb.send(
        new PutItemCommand({ TableName: Bucket, Item: { ...key('page', `${n}`), ...bytes } }),
      )
    const page = await aws.dynamodb.send(
      new QueryCommand({
        TableName: Bucket,
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': { S: 'page' } },
      }),
    )
    expect(page.Items!.length).toBeLessThan(5)
    expect(page.LastEvaluatedKey).toBeDefined()
    for (const Item of [
      { ...key('large'), b: { B: randomBytes(410_000) } },
      key('', 's'),
      key('x'.repeat(2049)),
      key('x', 'y'.repeat(1025)),
    ])
      await expect(aws.dynamodb.send(new PutItemCommand({ TableName: Bucket, Item }))).rejects.toMatchObject({
        name: 'ValidationException',
      })
  })

  test('lacks: it checks no signature, and two transactions never meet (both are injected where they matter)', async () => {
    const stranger = new DynamoDBClient({
      endpoint: aws.env.AWS_ENDPOINT_URL_DYNAMODB!,
      region: 'us-east-1',
      credentials: { accessKeyId: 'stranger', secretAccessKey: 'stranger' },
    })
    await stranger.send(new PutItemCommand({ TableName: Bucket, Item: key('stranger') }))
    stranger.destroy()
    const meeting = Array.from({ length: 20 }, () =>
      aws.dynamodb.send(
        new TransactWriteItemsCommand({
          TransactItems: [{ Put: { TableName: Bucket, Item: key('meeting') } }],
        }),
      ),
    )
    await Promise.all(meeting)
  })
})
