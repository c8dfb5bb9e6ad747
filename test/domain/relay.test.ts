// The relay: what is derived from events, their order, and events that meet a crash or another relay.
import { expect, test } from 'vitest'
import { digestOf } from '../../lib/oci/digest.ts'
import { deleteReference } from '../../lib/registry/deletion.ts'
import { keys } from '../../lib/registry/keys.ts'
import { eventsOf, relay } from '../../lib/registry/relay.ts'
import { before } from './meddling.ts'
import {
  ACTOR,
  byDigest,
  itemsOf,
  MANIFEST,
  pushBlob,
  pushBytes,
  pushImage,
  pushIndex,
  repositoryId,
  type TestRegistry,
  testRegistry,
} from './registry.ts'

const NAME = 'library/app'
const CONFIG = 'application/vnd.oci.image.config.v1+json'
const LAYER = 'application/x'

async function relayAll(registry: TestRegistry): Promise<void> {
  while ((await relay(registry)) > 0);
}

/** Facts of an image whose config blob is that text. */
async function factsOf(text: string, mediaType = CONFIG, lost = false) {
  const registry = await testRegistry()
  const config = { mediaType, digest: await pushBlob(registry, NAME, text), size: text.length }
  const layer = { mediaType: LAYER, digest: await pushBlob(registry, NAME, 'layer'), size: 5 }
  const manifest = { schemaVersion: 2, mediaType: MANIFEST, config, layers: [layer, layer] }
  const digest = await pushBytes(registry, NAME, 'v1', Buffer.from(JSON.stringify(manifest)), MANIFEST)
  if (lost) registry.blobs.objects.clear()
  await relayAll(registry)
  const key = keys.imageFacts(await repositoryId(registry, NAME), digest)
  return { facts: (await registry.metadata.get(key))!.attributes, config, layer }
}

test('an image’s layers, config, diff ids and platform are known without opening it again', async () => {
  const told = { os: 'linux', architecture: 'arm64', variant: 'v8', created: '2026-01-01T00:00:00Z' }
  const text = JSON.stringify({ ...told, rootfs: { diff_ids: ['a', 'b', 7] }, author: 'nobody' })
  for (const mediaType of [CONFIG, 'application/vnd.docker.container.image.v1+json']) {
    const { facts, config, layer } = await factsOf(text, mediaType)
    expect(facts).toEqual({
      v: 1,
      blobs: expect.arrayContaining([config, layer]),
      layers: [layer.digest, layer.digest],
      config: config.digest,
      diffIds: ['a', 'b'],
      artifact: {
        annotations: {},
        references: [],
        extraAttrs: {
          created: '2026-01-01T00:00:00Z',
          architecture: 'arm64',
          os: 'linux',
          author: 'nobody',
          config: {},
        },
      },
      ...told,
    })
    expect(facts.blobs).toHaveLength(2)
  }
})

test('a config that is none, or says something else than it should, is no fact and no failure', async () => {
  const bare = ['v', 'blobs', 'layers', 'artifact', 'config']
  const known = async (...config: Parameters<typeof factsOf>) => Object.keys((await factsOf(...config)).facts)
  for (const text of [
    'not JSON',
    'null',
    '"text"',
    '7',
    '{}',
    '{"rootfs":7}',
    '{"os":7,"rootfs":{"diff_ids":"a"}}',
  ])
    expect(await known(text)).toEqual(bare)
  expect(await known('{"os":"linux"}', 'application/vnd.other')).toEqual(bare)
  expect(await known('{"os":"linux"}', CONFIG, true)).toEqual(bare)
  expect(await known('{"os":"linux"}')).toEqual([...bare, 'os'])
  expect(await known('{"rootfs":null,"os":"linux"}')).toEqual([...bare, 'os'])
})

test('of a config’s words a hundred characters are kept, and none of one above 4 MiB', async () => {
  const { facts } = await factsOf(JSON.stringify({ os: 'x'.repeat(101) }))
  expect(facts.os).toBe('x'.repeat(100))
  const config = (sizeBytes: number) => `{"os":"linux"}${' '.repeat(sizeBytes - 14)}`
  expect((await factsOf(config(4 * 1024 * 1024))).facts.os).toBe('linux')
  expect((await factsOf(config(4 * 1024 * 1024 + 1))).facts.os).toBeUndefined()
})

test('usage names each blob of a manifest, and the manifest, once, with its size', async () => {
  const registry = await testRegistry()
  const image = await pushImage(registry, NAME, 'v1')
  await relayAll(registry)
  const repo = await repositoryId(registry, NAME)
  const usage = (await itemsOf(registry, 'Q#')).map((item) => [
    item.pk.split('#')[2],
    item.attributes.sizeBytes,
  ])
  expect(usage).toHaveLength(3)
  expect(usage).toEqual(
    expect.arrayContaining([
      [image.digest, image.bytes.length],
      [image.layer, 5],
      [digestOf(Buffer.from('{}')), 2],
    ]),
  )
  expect((await itemsOf(registry, 'Q#')).map((item) => item.sk)).toEqual(
    Array.from({ length: 3 }, () => `${repo}#${image.digest}`),
  )
})

test('what was derived of a manifest goes with it, and comes back with it', async () => {
  const registry = await testRegistry()
  const image = await pushImage(registry, NAME, 'v1')
  const repo = await repositoryId(registry, NAME)
  const derived = async () => [
    ...(await itemsOf(registry, 'Q#')),
    ...(await itemsOf(registry, 'M#')).filter(({ sk }) => sk === 'I' || sk === 'P'),
  ]
  const pulled = { ...keys.pulled(repo, image.digest), attributes: { v: 1, lastPulledAtMs: 1 } }
  await registry.metadata.batchWrite([{ kind: 'put', item: pulled }])
  await relayAll(registry)
  expect(await derived()).toHaveLength(5)
  await deleteReference(registry, NAME, byDigest(image.digest), ACTOR)
  await relayAll(registry)
  expect(await derived()).toEqual([])
  await pushImage(registry, NAME, 'v1')
  await relayAll(registry)
  expect(await derived()).toHaveLength(4)
})

test('an event is kept as it was told, with its place, for thirty days', async () => {
  const registry = await testRegistry()
  await pushImage(registry, NAME, 'v1')
  const [told] = await itemsOf(registry, 'E#')
  await relayAll(registry)
  const [kept, ...more] = await Array.fromAsync(eventsOf(registry, told!.attributes.project as string))
  expect(more).toEqual([])
  expect(kept).toMatchObject({
    attributes: { ...told!.attributes, id: told!.sk, sequence: 1 },
    expiresAtEpochSeconds: registry.clock.now / 1000 + 30 * 86_400,
  })
})

test('events are relayed oldest first, and each project counts its own', async () => {
  const registry = await testRegistry({ createProjectsOnPush: true })
  const names = Array.from({ length: 12 }, (_, number) => (number % 3 === 0 ? 'other/app' : NAME))
  for (const [number, name] of names.entries()) {
    registry.clock.now += 1000
    await pushImage(registry, name, `v${number}`, { layer: `layer ${number}` })
  }
  expect(await relay(registry)).toBe(12)
  for (const name of [NAME, 'other/app']) {
    const project = (await registry.metadata.get(keys.project(name.split('/')[0]!)))!.attributes.id as string
    const events = (await Array.fromAsync(eventsOf(registry, project))).map((item) => item.attributes)
    expect(events.map((event) => event.sequence)).toEqual(events.map((_, index) => index + 1))
    const mine = names.flatMap((each, number) => (each === name ? [`v${number}`] : []))
    expect(events.flatMap((event) => event.tags)).toEqual(mine)
  }
  expect(await relay(registry)).toBe(0)
})

test('two relays at once keep each event once, and none is lost', async () => {
  const registry = await testRegistry()
  await pushImage(registry, NAME, 'v1')
  await pushImage(registry, NAME, 'v2', { layer: 'other' })
  await relay(before(registry, 'transact', () => relay(registry)))
  await relayAll(registry)
  expect((await itemsOf(registry, 'EV#')).map((item) => item.attributes.sequence)).toEqual([1, 2])
  expect(await itemsOf(registry, 'E#')).toEqual([])
})

test('an event whose number another relay has taken gets the next one', async () => {
  const registry = await testRegistry()
  await pushImage(registry, NAME, 'v1')
  await relayAll(registry)
  await pushImage(registry, NAME, 'v2', { layer: 'other' })
  const project = (await itemsOf(registry, 'ES#'))[0]!
  const taken = { ...project, attributes: { ...project.attributes, last: 2 } }
  // The first transaction counts the artifact, the second one relays the event.
  await relay(
    before(registry, 'transact', () => registry.metadata.batchWrite([{ kind: 'put', item: taken }]), 1),
  )
  expect(await itemsOf(registry, 'E#')).toHaveLength(1)
  await relayAll(registry)
  expect((await itemsOf(registry, 'EV#')).map((item) => item.attributes.sequence)).toEqual([1, 3])
})

test('a manifest that came and went before anything was relayed leaves its events and nothing else', async () => {
  const registry = await testRegistry()
  const image = await pushImage(registry, NAME, 'v1')
  await deleteReference(registry, NAME, byDigest(image.digest), ACTOR)
  await relayAll(registry)
  expect(await itemsOf(registry, 'E#')).toEqual([])
  expect(await itemsOf(registry, 'EV#')).toHaveLength(2)
  expect(await itemsOf(registry, 'Q#')).toEqual([])
})

test('an index has neither config nor layers, and uses nothing but itself', async () => {
  const registry = await testRegistry()
  const child = await pushImage(registry, NAME, undefined)
  const digest = await pushIndex(registry, NAME, 'all', [child])
  await relayAll(registry)
  const key = keys.imageFacts(await repositoryId(registry, NAME), digest)
  expect((await registry.metadata.get(key))!.attributes).toEqual({
    v: 1,
    blobs: [],
    layers: [],
    artifact: { annotations: {}, extraAttrs: {}, references: [{ digest: child.digest }] },
  })
  expect((await itemsOf(registry, 'Q#')).filter((item) => item.sk.endsWith(digest))).toHaveLength(1)
})

test('a relay that dies half way leaves an event that the next one finishes', async () => {
  const registry = await testRegistry()
  await pushImage(registry, NAME, 'v1')
  const die = () => {
    throw new Error('the power went')
  }
  for (const turn of [0, 1]) {
    const failed: string[] = []
    const dying = before(registry, 'batchWrite', die, turn)
    expect(await relay(dying, (_, event) => failed.push(event))).toBe(0)
    expect(failed).toEqual((await itemsOf(registry, 'E#')).map((item) => item.sk))
  }
  await relay(before(registry, 'transact', die))
  await relayAll(registry)
  expect(await itemsOf(registry, 'EV#')).toHaveLength(1)
  expect(await itemsOf(registry, 'Q#')).toHaveLength(3)
})
