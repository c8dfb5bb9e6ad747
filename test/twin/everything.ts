// One of everything that clients do to the registry, by plain requests: what client programs do not do by themselves.
import { createHash, randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { ECSClient, UpdateServiceCommand } from '@aws-sdk/client-ecs'
import { DeleteObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { type Answer, type Asker, askerOf, logIn, sha256 } from '../../lib/doctor/client.ts'
import { CREDENTIALS, REGION } from './cloud.ts'
import { managementOf } from './management.ts'
import type { Twin } from './twin.ts'

export const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const REPOSITORY = 'library/everything'
const OTHER = 'library/everything-else'

/** Asks with a token for one repository. */
export async function askerFor(twin: Pick<Twin, 'url' | 'adminPassword'>, name: string): Promise<Asker> {
  const challenge = `Bearer realm="${twin.url}/service/token",service="entrepot"`
  const login = { user: 'admin', password: twin.adminPassword }
  const token = await logIn(twin.url, challenge, login, name)
  return askerOf(twin.url, () => token)
}

export async function startUpload(ask: Asker, name: string): Promise<string> {
  const answer = await ask('POST', `/v2/${name}/blobs/uploads/`)
  if (answer.status !== 202) throw new Error(`${answer.status} ${answer.body}`)
  return answer.headers.get('location')!
}

export function withDigest(location: string, digest: string): string {
  return `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`
}

export async function putBlob(ask: Asker, name: string, bytes: Buffer): Promise<Answer> {
  return ask('PUT', withDigest(await startUpload(ask, name), sha256(bytes)), { body: bytes })
}

function sha512(bytes: Buffer): string {
  return `sha512:${createHash('sha512').update(bytes).digest('hex')}`
}

/** @returns the manifest's bytes */
export async function pushImage(ask: Asker, name: string, tag: string, padding = 0): Promise<Buffer> {
  const config = randomBytes(1000)
  await putBlob(ask, name, config)
  const descriptor = { mediaType: 'application/x', digest: sha256(config), size: config.length }
  const annotations = { padding: 'x'.repeat(padding) }
  const bytes = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config: descriptor, layers: [], annotations }),
  )
  const headers = { 'content-type': MANIFEST }
  const answer = await ask('PUT', `/v2/${name}/manifests/${tag}`, { body: bytes, headers })
  if (answer.status !== 201) throw new Error(`${answer.status} ${answer.body}`)
  return bytes
}

/** A whole upload in chunks. @returns the answer to the last PUT */
export async function pushChunks(
  ask: Asker,
  name: string,
  bytes: Buffer,
  ends: number[],
  digest = sha256(bytes),
): Promise<Answer> {
  let location = await startUpload(ask, name)
  let start = 0
  for (const end of [...ends, bytes.length]) {
    const headers = { 'content-range': `${start}-${end - 1}` }
    const answer = await ask('PATCH', location, { body: bytes.subarray(start, end), headers })
    if (answer.status !== 202) throw new Error(`${answer.status} ${answer.body}`)
    location = answer.headers.get('location')!
    start = end
  }
  return ask('PUT', withDigest(location, digest))
}

/** @throws Error when an answer is not the one that was expected */
export async function everything(twin: Twin): Promise<void> {
  const ask = await askerFor(twin, REPOSITORY)
  const must = async (status: number, ...[method, path, options]: Parameters<Asker>): Promise<Answer> => {
    const answer = await ask(method, `/v2/${REPOSITORY}/${path}`, options)
    if (answer.status !== status) throw new Error(`${method} ${path}: ${answer.status} ${answer.body}`)
    return answer
  }
  const small = await pushImage(ask, REPOSITORY, 'small')
  const large = await pushImage(ask, REPOSITORY, 'large', 100_000)
  // Stays, so that it is still there when its event is relayed, however late.
  await pushImage(ask, REPOSITORY, 'stays', 100_000)
  for (const path of ['manifests/large', 'tags/list', `referrers/${sha256(small)}`])
    await must(200, 'GET', path)
  await must(201, 'PUT', 'manifests/again', { body: small, headers: { 'content-type': MANIFEST } })

  // An upload of several parts, looked at and given up.
  const sent = await ask('PATCH', await startUpload(ask, REPOSITORY), { body: randomBytes(40 * 2 ** 20) })
  const next = sent.headers.get('location')!
  const seen = [(await ask('GET', next)).status, (await ask('DELETE', next)).status]
  if (seen.join() !== '204,204') throw new Error(`GET and DELETE of an upload: ${seen}`)

  // Chunks, the first too small for a part; the same blob again; and once under a digest it does not have.
  const bytes = randomBytes(7 * 2 ** 20)
  for (const [digest, status] of [
    [sha256(bytes), 201],
    [sha256(bytes), 201],
    [sha256(Buffer.from('another')), 400],
  ] as const) {
    const answer = await pushChunks(ask, REPOSITORY, bytes, [1000, 6 * 2 ** 20], digest)
    if (answer.status !== status) throw new Error(`a commit: ${answer.status} ${answer.body}`)
  }
  const other = await askerFor(twin, OTHER)
  const mount = `/v2/${OTHER}/blobs/uploads/?mount=${sha256(bytes)}&from=${REPOSITORY}`
  const mounted = await other('POST', mount)
  if (mounted.status !== 201 && mounted.status !== 202) throw new Error(`a mount: ${mounted.status}`)

  await must(202, 'DELETE', `blobs/${sha256(bytes)}`)
  await must(202, 'DELETE', 'manifests/small')
  await must(202, 'DELETE', `manifests/${sha256(large)}`)
  const none = withDigest(await startUpload(ask, REPOSITORY), sha256(Buffer.alloc(0)))
  if ((await ask('PUT', none)).status !== 201) throw new Error('the empty blob was not taken')
  await wrongCommit(ask)
}

/**
 * A commit without a body, to the location that the upload began with: the edge leaves it to the function, which reads
 * the bytes back for their SHA-512, finds others and takes them away.
 */
async function wrongCommit(ask: Asker): Promise<void> {
  const location = await startUpload(ask, REPOSITORY)
  const sent = await ask('PATCH', location, { body: randomBytes(1000) })
  if (sent.status !== 202) throw new Error(`a chunk: ${sent.status} ${sent.body}`)
  const answer = await ask('PUT', withDigest(location, sha512(randomBytes(1000))))
  if (answer.status !== 400) throw new Error(`a wrong commit: ${answer.status} ${answer.body}`)
}

/** What happens by itself, made to happen now: S3's events, the schedules, a worker that finds it late. */
export async function eventually(twin: Twin): Promise<void> {
  const ask = await askerFor(twin, REPOSITORY)
  // Twice the same blob: who looks finds the first, S3 tells of both. And of one that is not there.
  const bytes = randomBytes(1000)
  await putBlob(ask, REPOSITORY, bytes)
  await ask('HEAD', `/v2/${REPOSITORY}/blobs/${sha256(bytes)}`)
  await putBlob(ask, REPOSITORY, bytes)
  // As a client is sent there by a cache that does not have the blob yet.
  await ask('GET', `/v2/${REPOSITORY}/blobs/${sha256(bytes)}?via=ingest`)
  await loseBytes(twin, ask)
  await repair(twin, ask)
  const direct = (await keysIn(twin)).find((key) => key.includes('/sha256/'))
  if (direct) await twin.events.invoke('Relay', createdEvent(twin.bucket, direct.replace(/[^/]+$/, 'nobody')))
  // Given up by somebody who did not say so.
  await ask('PATCH', await startUpload(ask, REPOSITORY), { body: randomBytes(40 * 2 ** 20) })
  await twin.events.invoke('Relay', { Records: [] })
  await twin.events.invoke('Setup', { task: 'rotate' })
  await sendJob(twin, 'no message of ours')
  await collectByHand(twin)
  await sendWorkersToSleep(twin) // they have today's clock
  twin.bendWorkers({ preload: ['later.mjs'], env: { LATER_DAYS: '9', LATER_PACE: '60' } })
  // The queue may still hold the last question of a worker that is gone: this answers it.
  await sendJob(twin, 'nobody takes this')
  await twin.events.invoke('Relay', { task: 'schedules' })
  await twin.events.invoke('Relay', { task: 'sweep' })
  await twin.events.untilWorkersSleep()
}

/** Into the queue of heavy jobs, past the registry. */
async function sendJob({ cloud, made }: Twin, MessageBody: string): Promise<void> {
  const sqs = new SQSClient({ endpoint: cloud.endpoint, credentials: CREDENTIALS, region: REGION })
  const QueueUrl = await made.id('workers', 'AWS::SQS::Queue', 'Jobs')
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }))
  sqs.destroy()
}

async function sendWorkersToSleep({ cloud, made, events }: Twin): Promise<void> {
  const ecs = new ECSClient({ endpoint: cloud.endpoint, credentials: CREDENTIALS, region: REGION })
  const cluster = await made.id('network', 'AWS::ECS::Cluster')
  await ecs.send(new UpdateServiceCommand({ cluster, service: 'entrepot-workers', desiredCount: 0 }))
  ecs.destroy()
  await events.untilWorkersSleep()
}

/** Asked for by the API: a worker is woken for it, and it ends. */
async function collectByHand(twin: Twin): Promise<void> {
  const admin = managementOf(twin, 'admin', twin.adminPassword)
  const { answer } = await admin('POST', '/system/gc/schedule', 201, { schedule: { type: 'Manual' } })
  const gc = answer.headers.get('location')!.replace('/api/v2.0', '')
  for (let look = 0; look < 120; look++) {
    const { json } = await admin('GET', gc, 200)
    if (json.job_status === 'Success') return
    await sleep(500)
  }
  throw new Error('a collection asked for by the API did not end')
}

/** As EventBridge hands it over. */
export function createdEvent(bucket: string, key: string) {
  return {
    source: 'aws.s3',
    'detail-type': 'Object Created',
    detail: { bucket: { name: bucket }, object: { key } },
  }
}

/** The bytes of an upload that S3 has no more: the client is told, and starts again. */
async function loseBytes(twin: Twin, ask: Asker): Promise<void> {
  const bytes = randomBytes(1000)
  let sent: Answer | undefined
  const [Key] = await keysMade(twin, async () => {
    sent = await ask('PATCH', await startUpload(ask, REPOSITORY), { body: bytes })
  })
  await twin.cloud.stores.s3.send(new DeleteObjectCommand({ Bucket: twin.bucket, Key: Key! }))
  const answer = await ask('PUT', withDigest(sent!.headers.get('location')!, sha512(bytes)))
  if (answer.status !== 400) throw new Error(`a commit of what is gone: ${answer.status} ${answer.body}`)
}

/** A scrub found a blob corrupt; whoever pushes it again repairs it. */
async function repair(twin: Twin, ask: Asker): Promise<void> {
  const bytes = randomBytes(1000)
  const [key] = await keysMade(twin, () => pushChunks(ask, REPOSITORY, bytes, []))
  const repository = key!.split('/')[1]!
  await twin.cloud.stores.dynamodb.send(
    new UpdateItemCommand({
      TableName: twin.table,
      Key: { pk: { S: `L#${repository}#${sha256(bytes)}` }, sk: { S: 'L' } },
      UpdateExpression: 'SET a.#state = :corrupt',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeNames: { '#state': 'state' },
      ExpressionAttributeValues: { ':corrupt': { S: 'corrupt' } },
    }),
  )
  const answer = await pushChunks(ask, REPOSITORY, bytes, [])
  if (answer.status !== 201) throw new Error(`a repair: ${answer.status} ${answer.body}`)
}

/** Of the objects that something made. */
async function keysMade(twin: Twin, make: () => Promise<unknown>): Promise<string[]> {
  const before = new Set(await keysIn(twin))
  await make()
  return (await keysIn(twin)).filter((key) => !before.has(key))
}

async function keysIn({ cloud, bucket }: Twin): Promise<string[]> {
  const { Contents = [] } = await cloud.stores.s3.send(new ListObjectsV2Command({ Bucket: bucket }))
  return Contents.map(({ Key }) => Key!)
}
