import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Server, startServer } from '../support/server.ts'
import { type Client, clientOf, digest, INDEX, pushImage } from './client.ts'

let server: Server
let http: Client
beforeAll(async () => {
  server = await startServer()
  http = clientOf(server.url)
})
afterAll(() => server.stop())

const json = async (path: string) => {
  const answer = await http('GET', path)
  return { ...answer, json: JSON.parse(answer.body.toString()) }
}

/** Follows Link headers to the end. */
async function pages(first: string, key: string): Promise<string[][]> {
  const found: string[][] = []
  for (let path: string | undefined = first; path; ) {
    const page: Awaited<ReturnType<typeof json>> = await json(path)
    found.push(page.json[key])
    path = /<([^>]+)>; rel="next"/.exec(page.headers.link?.toString() ?? '')?.[1]
  }
  return found
}

test('tags are listed in byte order, page after page, without loss or repetition', async () => {
  const tags = ['1.0', '1.10', '1.2', 'A', 'Z', '_x', 'a', 'b-1', 'b.1', 'b_1', 'z']
  const image = await pushImage(http, 'lab/tags', '')
  for (const tag of tags.toReversed())
    await http('PUT', `/v2/lab/tags/manifests/${image.digest}?tag=${tag}`, {
      headers: { 'content-type': 'application/vnd.oci.image.manifest.v1+json' },
      body: image.bytes,
    })
  const sorted = tags.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  expect((await json('/v2/lab/tags/tags/list')).json).toEqual({ name: 'lab/tags', tags: sorted })
  for (const n of [1, 3, 5, 11, 12])
    expect((await pages(`/v2/lab/tags/tags/list?n=${n}`, 'tags')).flat()).toEqual(sorted)
  expect((await pages('/v2/lab/tags/tags/list?n=4', 'tags')).map((page) => page.length)).toEqual([4, 4, 3])
})

test('a last that no tag has starts after where it would stand', async () => {
  expect((await json('/v2/lab/tags/tags/list?last=1.1')).json.tags[0]).toBe('1.10')
  expect((await json('/v2/lab/tags/tags/list?last=zzz')).json.tags).toEqual([])
})

test('n of 0 gives no tags, n that is no number is refused, a huge one gets what there is', async () => {
  expect((await json('/v2/lab/tags/tags/list?n=0')).json.tags).toEqual([])
  for (const n of ['-1', 'x', '1.5', '1e3', '', '9'.repeat(30)]) {
    const answer = await http('GET', `/v2/lab/tags/tags/list?n=${n}`)
    expect([answer.status, answer.code]).toEqual([400, 'PAGINATION_NUMBER_INVALID'])
  }
  expect((await json('/v2/lab/tags/tags/list?n=999999999')).json.tags).toHaveLength(11)
})

test('tags of a repository that does not exist answer NAME_UNKNOWN', async () => {
  const answer = await http('GET', '/v2/lab/none/tags/list')
  expect([answer.status, answer.code]).toEqual([404, 'NAME_UNKNOWN'])
})

test('the catalog lists repositories that hold something, in byte order across projects, in pages', async () => {
  for (const name of ['zeta/b', 'alpha/z', 'alpha/a/b', 'alpha/a-b']) await pushImage(http, name, 'v1')
  await http('POST', '/v2/alpha/started/blobs/uploads/')
  const listed = (await pages('/v2/_catalog?n=2', 'repositories')).flat()
  expect(listed).toEqual(['alpha/a-b', 'alpha/a/b', 'alpha/z', 'lab/tags', 'zeta/b'])
})

test('referrers are listed with their types and annotations, also those pushed before their subject', async () => {
  const subject = digest('not pushed yet')
  const annotations = { 'org.example': 'yes' }
  const sbom = await pushImage(http, 'lab/ref', '', {
    layer: 'sbom',
    subject,
    artifactType: 'application/sbom',
    annotations,
  })
  const signature = await pushImage(http, 'lab/ref', '', {
    layer: 'sig',
    subject,
    artifactType: 'application/sig',
  })
  const all = await json(`/v2/lab/ref/referrers/${subject}`)
  expect(all.headers['content-type']).toBe(INDEX)
  expect(all.json.manifests.map((each: { digest: string }) => each.digest).sort()).toEqual(
    [sbom.digest, signature.digest].sort(),
  )
  const filtered = await json(`/v2/lab/ref/referrers/${subject}?artifactType=application/sbom`)
  expect(filtered.headers['oci-filters-applied']).toBe('artifactType')
  expect(filtered.json.manifests).toEqual([
    {
      mediaType: expect.any(String),
      digest: sbom.digest,
      size: sbom.bytes.length,
      artifactType: 'application/sbom',
      annotations,
    },
  ])
})

test('a push with a subject is acknowledged with OCI-Subject', async () => {
  const subject = digest('some subject')
  const image = await pushImage(http, 'lab/ack', '', { subject })
  const again = await http('PUT', `/v2/lab/ack/manifests/${image.digest}`, {
    headers: { 'content-type': 'application/vnd.oci.image.manifest.v1+json' },
    body: image.bytes,
  })
  expect(again.headers['oci-subject']).toBe(subject)
})

test('a digest nobody refers to has an empty list of referrers, a malformed one is refused', async () => {
  const none = await json(`/v2/lab/nowhere/referrers/${digest('nothing')}`)
  expect([none.status, none.json.manifests]).toEqual([200, []])
  expect((await http('GET', '/v2/lab/ref/referrers/sha256:xyz')).status).toBe(400)
})

test('a deleted referrer is no longer listed', async () => {
  const subject = digest('deleted subject')
  const image = await pushImage(http, 'lab/ref', '', { layer: 'gone', subject })
  await http('DELETE', `/v2/lab/ref/manifests/${image.digest}`)
  expect((await json(`/v2/lab/ref/referrers/${subject}`)).json.manifests).toEqual([])
})
