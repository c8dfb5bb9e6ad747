// Pages of referrers: how large one gets, and that a rare type among many is no endless request.
import { expect, test } from 'vitest'
import { type Digest, digestOf } from '../../lib/oci/digest.ts'
import { keys } from '../../lib/registry/keys.ts'
import { listReferrers } from '../../lib/registry/referrers.ts'
import { before } from './meddling.ts'
import { pushImage, repositoryId, type TestRegistry, testRegistry } from './registry.ts'

const NAME = 'library/app'

/** Listings as pushes leave them, in the order of their digests. */
async function listed(count: number, typeOf: (number: number) => string, note = '') {
  const registry = await testRegistry()
  const subject = (await pushImage(registry, NAME, 'v1')).digest
  const repo = await repositoryId(registry, NAME)
  const digests = Array.from({ length: count }, (_, number) => digestOf(Buffer.from(`${number}`))).sort()
  await registry.metadata.batchWrite(
    digests.map((digest, number) => {
      const about = note ? { annotations: { note } } : {}
      const descriptor = {
        mediaType: 'application/x',
        digest,
        size: 1,
        artifactType: typeOf(number),
        ...about,
      }
      return {
        kind: 'put',
        item: { ...keys.referrer(repo, subject, digest), attributes: { v: 1, descriptor } },
      }
    }),
  )
  return { registry, subject, digests }
}

async function page(
  registry: TestRegistry,
  subject: Digest,
  filter: { artifactType?: string; after?: string },
) {
  const { descriptors, ...rest } = await listReferrers(registry, NAME, subject, filter)
  return { ...rest, found: descriptors.map((each) => each.digest) }
}

test('a repository nobody pushed to, or a subject nobody knows, has no referrers and no further page', async () => {
  const registry = await testRegistry()
  const nobody = digestOf(Buffer.from('nobody'))
  expect(await listReferrers(registry, NAME, nobody, {})).toEqual({ descriptors: [] })
  await pushImage(registry, NAME, 'v1')
  expect(await listReferrers(registry, NAME, nobody, {})).toEqual({ descriptors: [] })
})

test('five hundred referrers are one page, one more begins a second', async () => {
  const whole = await listed(500, () => 'a')
  expect(await page(whole.registry, whole.subject, {})).toEqual({ found: whole.digests })
  const { registry, subject, digests } = await listed(501, () => 'a')
  expect(await page(registry, subject, {})).toEqual({ found: digests.slice(0, 500), next: digests[499] })
  expect(await page(registry, subject, { after: digests[499]! })).toEqual({ found: digests.slice(500) })
})

test('a page ends before it is larger than a manifest may be, and always holds one', async () => {
  const large = await listed(3, () => 'a', 'x'.repeat(1.5 * 2 ** 20 - 1000))
  const first = await page(large.registry, large.subject, {})
  expect(first).toEqual({ found: large.digests.slice(0, 2), next: large.digests[1] })
  expect(await page(large.registry, large.subject, { after: first.next! })).toEqual({
    found: large.digests.slice(2),
  })
  const huge = await listed(2, () => 'a', 'x'.repeat(3 * 2 ** 20 + 1))
  expect(await page(huge.registry, huge.subject, {})).toEqual({
    found: huge.digests.slice(0, 1),
    next: huge.digests[0],
  })
})

test('a filtered page has only that type, from wherever it lies', async () => {
  const { registry, subject, digests } = await listed(1300, (number) =>
    number % 400 === 0 ? 'rare' : 'common',
  )
  const rare = digests.filter((_, number) => number % 400 === 0)
  expect(await page(registry, subject, { artifactType: 'rare' })).toEqual({ found: rare })
  expect(await page(registry, subject, { artifactType: 'rare', after: rare[1]! })).toEqual({
    found: rare.slice(2),
  })
  expect(await page(registry, subject, { artifactType: 'none' })).toEqual({ found: [] })
})

test('a request looks at some ten thousand referrers and says where the next one goes on', async () => {
  const { registry, subject, digests } = await listed(11_000, () => 'common')
  let queries = 0
  const counted = before(registry, 'query', () => (queries += 1), 'every')
  const found = await listReferrers(counted, NAME, subject, { artifactType: 'rare' })
  expect(queries).toBe(20)
  expect(found).toEqual({ descriptors: [], next: digests[20 * 501 - 1] })
  expect(await page(registry, subject, { artifactType: 'rare', after: found.next! })).toEqual({ found: [] })
})
