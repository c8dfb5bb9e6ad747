// What a cache takes in is told as a push, by whom it was fetched, and replicated as one, as in Harbor; what is read from
// it is told as a pull.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { numberOf } from '../api/management.ts'
import { jsonOf, type Receiver, startReceiver } from '../events/receiver.ts'
import { CACHE, openPlace, type Place } from './place.ts'

let at: Place
let receiver: Receiver
let host: string
beforeAll(async () => {
  at = await openPlace(1)
  receiver = await startReceiver()
  host = at.servers[0]!.host
  await at.admin('POST', `/projects/${CACHE}/webhook/policies`, {
    name: 'everything',
    enabled: true,
    event_types: ['PUSH_ARTIFACT', 'PULL_ARTIFACT'],
    targets: [{ type: 'http', address: receiver.url }],
  })
})
afterAll(async () => {
  await at.close()
  await receiver.close()
})

const IMAGE = { layers: 1, layerBytes: 10_000 }
const told = (type: string) =>
  receiver.received
    .map(jsonOf)
    .filter((each) => each.type === type)
    .map(({ operator, event_data: { resources, repository } }) => [
      operator,
      `${repository.repo_full_name} ${resources[0].tag}`,
    ])

test('an image that is fetched is a push by the cache, once, and each pull is one by whoever pulls', async () => {
  const { digest } = await at.publish('library/told:v1', IMAGE)
  const pull = () =>
    at.sh(`crane pull --insecure --format oci ${host}/${CACHE}/library/told:v1 "$(mktemp -d)"`)
  const name = `${CACHE}/library/told`
  await pull()
  await expect.poll(() => told('PULL_ARTIFACT').length, { timeout: 20_000 }).toBeGreaterThan(0)
  const before = told('PULL_ARTIFACT').length
  await pull()
  await expect.poll(() => told('PULL_ARTIFACT').length, { timeout: 20_000 }).toBeGreaterThan(before)
  const pulls = told('PULL_ARTIFACT')
  for (const [operator, what] of pulls) {
    expect(operator).toBe('anonymous')
    expect([`${name} v1`, `${name} ${digest}`]).toContain(what)
  }
  // The manifest first, and then the tag that names it.
  expect(told('PUSH_ARTIFACT').sort()).toEqual(
    [
      ['proxy-cache', `${name} ${digest}`],
      ['proxy-cache', `${name} v1`],
    ].sort(),
  )
})

test('a rule by event carries on what is fetched', async () => {
  const id = numberOf(
    await at.admin('POST', '/registries', { name: 'on', type: 'docker-registry', url: at.origin.url }),
  )
  numberOf(
    await at.admin('POST', '/replication/policies', {
      name: 'on',
      dest_registry: { id },
      dest_namespace: 'onwards',
      filters: [
        { type: 'name', value: `${CACHE}/**` },
        { type: 'tag', value: '*' },
      ],
      trigger: { type: 'event_based' },
      enabled: true,
    }),
  )
  const { digest } = await at.publish('library/onwards:v1', IMAGE)
  await at.sh(`crane pull --insecure ${host}/${CACHE}/library/onwards:v1 /dev/null`)
  const copied = () =>
    at.sh(`crane digest --insecure ${at.origin.host}/onwards/onwards:v1 || true`).then((out) => out.trim())
  await expect.poll(copied, { timeout: 60_000 }).toBe(digest)
})
