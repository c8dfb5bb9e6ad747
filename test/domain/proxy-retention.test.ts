// Caches forget what nobody pulled for long: what they forgot shows in what their upstream is asked for again.
import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { createDynamoMetadataStore } from '../../lib/aws/dynamo-metadata-store.ts'
import { createS3BlobStore } from '../../lib/aws/s3-blob-store.ts'
import { startExecution } from '../../lib/jobs/executions.ts'
import { dropSchedule, fireSchedules } from '../../lib/jobs/schedules.ts'
import { readTaskLog } from '../../lib/jobs/task-log.ts'
import { proxyRetention } from '../../lib/kinds/proxy-retention.ts'
import type { Digest } from '../../lib/oci/digest.ts'
import { ProxyCache } from '../../lib/proxy/proxy-cache.ts'
import { readProxyCount } from '../../lib/proxy/proxy-counts.ts'
import { createRegistry } from '../../lib/registries/registries.ts'
import { scheduleRetention } from '../../lib/registries/retention-schedule.ts'
import { findBlob } from '../../lib/registry/blobs.ts'
import { sweep } from '../../lib/registry/gc/sweep.ts'
import { keys } from '../../lib/registry/keys.ts'
import type { MetadataStore, Write } from '../../lib/registry/ports.ts'
import { createProject, type Project } from '../../lib/registry/projects.ts'
import { PullCounts } from '../../lib/registry/pull-counts.ts'
import { relay } from '../../lib/registry/relay.ts'
import { undo } from '../../lib/registry/undo.ts'
import { type AwsStores, startAwsStores } from '../support/aws-stores.ts'
import { type StaticRegistry, sha256, startStaticRegistry } from '../support/static-registry.ts'
import { testUpstreams } from '../support/upstreams.ts'
import { type JobPlace, jobPlace, tasksIn } from './jobs/place.ts'
import { ACTOR, byDigest, byTag, DAY_MS, HOUR_MS, INDEX, MANIFEST } from './registry.ts'

let aws: AwsStores | undefined
let at: JobPlace
let there: StaticRegistry
let cache: ProxyCache
let pulls: PullCounts
let project: Project
let made = 0
beforeAll(async () => {
  if (process.env.TEST_STORES === 'aws') aws = await startAwsStores()
})
afterAll(() => aws?.stop())
beforeEach(async () => {
  at = await jobPlace({ PROXY_RETENTION: proxyRetention() })
  if (aws) await putOnAws(aws)
  if (process.env.SABOTAGE === 'retention-blind') at.registry.metadata = unchecked(at.registry.metadata)
  there = await startStaticRegistry()
  const upstreams = await testUpstreams()
  const remote = { name: 'there', description: '', type: 'docker-registry', url: there.url }
  const login = { insecure: false, caCertificate: '', credentialType: '', accessKey: '', accessSecret: '' }
  const { id: registryId } = await createRegistry(at.registry, upstreams, { ...remote, ...login })
  project = await createProject(at.registry, 'cache', { registryId }, ACTOR)
  cache = new ProxyCache({ registry: at.registry, upstreams })
  pulls = new PullCounts(at.registry)
})
afterEach(() => there.stop())

async function putOnAws(stores: AwsStores): Promise<void> {
  const name = `retention-${made++}`
  await stores.create(name)
  const items = await at.registry.metadata.scan(undefined, 1000)
  const metadata = createDynamoMetadataStore(stores.dynamodb, name)
  await metadata.batchWrite(items.map((item) => ({ kind: 'put', item })))
  Object.assign(at.registry, { metadata, blobs: createS3BlobStore({ client: stores.s3, name }) })
}

/** A store whose deletions do not look whether anything changed meanwhile. */
function unchecked(store: MetadataStore): typeof at.registry.metadata {
  const careless = (write: Write) => write.kind !== 'check'
  const transact: MetadataStore['transact'] = (writes) => store.transact(writes.filter(careless))
  return Object.assign(Object.create(store), { transact })
}

interface Published {
  digest: Digest
  bytes: Buffer
  layer: Digest
}

function publish(reference: string | undefined, body: object, mediaType: string, name = 'app'): Buffer {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...body }))
  const manifest = { bytes, mediaType }
  there.manifests.set(`${name}@${sha256(bytes)}`, manifest)
  if (reference) there.manifests.set(`${name}:${reference}`, manifest)
  return bytes
}

function publishImage(tag?: string, more: object = {}): Published {
  const [layer, config] = [randomBytes(500), Buffer.from('{}')]
  for (const blob of [layer, config]) there.blobs.set(sha256(blob), blob)
  const part = (blob: Buffer) => ({
    mediaType: 'application/x',
    digest: sha256(blob),
    size: blob.length,
  })
  const bytes = publish(tag, { config: part(config), layers: [part(layer)], ...more }, MANIFEST)
  return { digest: sha256(bytes) as Digest, bytes, layer: sha256(layer) as Digest }
}

function publishIndex(tag: string, children: Published[]): Digest {
  const manifests = children.map(({ digest, bytes }) => ({ mediaType: MANIFEST, digest, size: bytes.length }))
  return sha256(publish(tag, { manifests }, INDEX)) as Digest
}

/** As a client does, and noted a second later. @returns its digest */
async function pull(what: string, name = 'cache/app'): Promise<Digest> {
  const isDigest = what.startsWith('sha256:')
  const found = await cache.manifest(name, isDigest ? byDigest(what as Digest) : byTag(what))
  pulls.pull(found.repository.id, found.record.digest, isDigest ? undefined : what)
  await pulls.flush(true)
  return found.record.digest
}

async function pullBlob(digest: Digest): Promise<void> {
  const found = await cache.blob(
    'cache/app',
    digest,
    (name) => findBlob(at.registry, name, digest, false),
    true,
  )
  expect(found.kind).toBe('stored')
}

/** The job, once. @returns its log */
async function forget(): Promise<string> {
  const spec = { vendor: 'PROXY_RETENTION' as const, rule: 0, trigger: 'MANUAL' as const }
  const execution = await startExecution(at.runner, spec, [{ payload: {} }])
  await at.drain()
  const [task] = await tasksIn(at, execution!.number)
  expect([task!.status, task!.message]).toEqual(['Success', ''])
  return readTaskLog(at.registry, task!.number)
}

/** What the upstream is asked for meanwhile, but for whether a tag moved. */
async function fetched(work: () => Promise<unknown>): Promise<string[]> {
  const before = there.log.length
  await work()
  return there.log.slice(before).filter((line) => line.startsWith('GET '))
}

const turn = (days: number) => {
  at.registry.clock.now += days * DAY_MS
}

test('what nobody pulled for seven days is forgotten, and what was pulled stays', async () => {
  const [old, used] = [publishImage('old'), publishImage('used')]
  await pull('old')
  await pull('used')
  turn(4)
  await pull('used')
  expect(await forget()).toContain('0 manifests forgotten')
  turn(4)
  const log = await forget()
  expect(log).toContain(`cache/app@${old.digest} (old) forgotten: not pulled for 7 days`)
  expect(log).not.toContain(used.digest)
  expect((await readProxyCount(at.registry, project.id)).forgotten).toBe(1)
  expect(await fetched(() => pull('used'))).toEqual([])
  expect(await fetched(() => pull('old'))).toEqual([`GET /v2/app/manifests/${old.digest}`])
})

test.each([
  ['-1', 400, 0],
  ['30', 29, 0],
  ['30', 31, 1],
])(
  'with proxy_retention_days %s and %d days without a pull, %d manifests are forgotten',
  async (days, passed, count) => {
    const settings = { registryId: project.registryId!, metadata: { proxy_retention_days: days } }
    await createProject(at.registry, 'other', settings, ACTOR)
    publishImage('v1')
    await pull('v1', 'other/app')
    turn(passed)
    expect(await forget()).toContain(`${count} manifests forgotten`)
  },
)

test('a pull that is noted while the manifest is being forgotten keeps it', async () => {
  publishImage('v1')
  await pull('v1')
  turn(8)
  const { metadata } = at.registry
  let pulled = 0
  const transact: MetadataStore['transact'] = async (writes) => {
    const deletes = writes.some(
      ({ kind, ...write }) => kind === 'delete' && 'key' in write && write.key.sk === 'M',
    )
    if (deletes && pulled++ === 0) await pull('v1')
    return metadata.transact(writes)
  }
  at.registry.metadata = Object.assign(Object.create(metadata), { transact })
  expect(await forget()).toContain('0 manifests forgotten')
  at.registry.metadata = metadata
  expect(pulled).toBe(1)
  expect(await fetched(() => pull('v1'))).toEqual([])
})

test('whoever is pulling an index when it is forgotten gets the rest of it from here, and so does an undo', async () => {
  const child = publishImage()
  const index = publishIndex('multi', [child])
  await pull('multi')
  await pull(child.digest)
  await pullBlob(child.layer)
  turn(8)
  expect(await pull('multi')).toBe(index) // read just before it is forgotten, and not noted yet
  await at.registry.metadata.batchWrite([{ kind: 'delete', key: keys.pulled(await repo(), index) }])
  expect(await forget()).toContain(index)
  there.down = true
  expect(await pull(child.digest)).toBe(child.digest)
  await pullBlob(child.layer)
  await undo(at.registry, 'cache/app', byDigest(index), ACTOR)
  expect(await pull('multi')).toBe(index)
})

async function repo(): Promise<string> {
  return (await at.registry.metadata.get(keys.repository('cache/app')))!.attributes.id as string
}

test('an index stays while one of its images is pulled, and an image while one of its signatures is', async () => {
  const child = publishImage()
  const index = publishIndex('multi', [child, publishImage()])
  const signed = publishImage('signed')
  const subject = { mediaType: MANIFEST, digest: signed.digest, size: signed.bytes.length }
  const signature = publishImage(undefined, { artifactType: 'application/x.signature', subject })
  for (const what of ['multi', child.digest, 'signed', signature.digest]) await pull(what)
  for (let week = 0; week < 3; week++) {
    turn(6)
    await pull(child.digest)
    await pull(signature.digest)
    expect(await forget()).toContain('0 manifests forgotten')
  }
  expect(await fetched(() => Promise.all([pull(index), pull(signed.digest)]))).toEqual([])
})

test('with an index go its images and their blobs, and with an image its signatures, by the normal collection', async () => {
  const child = publishImage()
  publishIndex('multi', [child])
  const signed = publishImage('signed')
  const subject = { mediaType: MANIFEST, digest: signed.digest, size: signed.bytes.length }
  const signature = publishImage(undefined, { artifactType: 'application/x.signature', subject })
  for (const what of ['multi', child.digest, 'signed', signature.digest]) await pull(what)
  await pullBlob(child.layer)
  turn(8)
  expect((await forget()).match(/forgotten: /g)).toHaveLength(2)
  for (let step = 0; step < 20 * 4; step++) {
    at.registry.clock.now += 6 * HOUR_MS
    await relay(at.registry)
    await sweep(at.registry, 'test')
  }
  expect(await fetched(() => Promise.all([pull(child.digest), pull(signature.digest)]))).toHaveLength(2)
  await expect(findBlob(at.registry, 'cache/app', child.layer, false)).rejects.toThrow()
})

test('what is pulled by its digest alone is no rubbish while it is pulled', async () => {
  const { digest } = publishImage('v1')
  await pull(digest)
  for (let week = 0; week < 4; week++) {
    turn(6)
    expect(await fetched(() => pull(digest))).toEqual([])
    await forget()
    await sweep(at.registry, 'test')
  }
})

test('every night one of all processes forgets, also behind a page of repositories', async () => {
  await dropSchedule(at.registry, 'REGISTRY_HEALTH', 0)
  await scheduleRetention(at.registry)
  // More than a page; fewer where each call takes its time.
  const count = aws ? 5 : 101
  const names = Array.from({ length: count }, (_, each) => `app${String(each).padStart(3, '0')}`)
  const image = publishImage('v1')
  for (const name of names) {
    there.manifests.set(`${name}:v1`, { bytes: image.bytes, mediaType: MANIFEST })
    there.manifests.set(`${name}@${image.digest}`, { bytes: image.bytes, mediaType: MANIFEST })
  }
  await Promise.all(names.map((name) => pull('v1', `cache/${name}`)))
  turn(9)
  await Promise.all([fireSchedules(at.runner), fireSchedules(at.runner)])
  expect(at.messages).toHaveLength(1)
  await at.drain()
  expect((await readProxyCount(at.registry, project.id)).forgotten).toBe(count)
})
