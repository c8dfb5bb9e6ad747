// Artifacts, repositories and labels by Harbor's API. Fields, status codes and rights are those of goharbor/harbor
// v2.14.0: api/v2.0/swagger.yaml, src/server/v2.0/handler, and its roles.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ADMIN_PASSWORD, type Server, startServer } from '../support/server.ts'
import { type Client, clientOf, digest, INDEX, indexOf, MANIFEST, pushBlob, pushImage } from './client.ts'
import { basic, type Harbor, harborOf } from './management.ts'

let server: Server
let admin: Harbor
let http: Client
const REPOSITORY = '/projects/library/repositories/app'
const ARTIFACTS = `${REPOSITORY}/artifacts`

beforeAll(async () => {
  server = await startServer({ open: false })
  admin = harborOf(server.url, 'admin')
  http = clientOf(server.url, basic('admin', ADMIN_PASSWORD))
  await admin('POST', '/projects', { project_name: 'secret', metadata: { public: 'false' } })
})
afterAll(() => server.stop())

/** An image with a config, as Docker makes it. */
async function pushDocker(name: string, tag: string, layer = `layer of ${tag}`) {
  const text = JSON.stringify({ os: 'linux', architecture: 'arm64', history: [{ created_by: 'RUN x' }] })
  const config = await pushBlob(http, name, text)
  const layers = [await pushBlob(http, name, layer)]
  const bytes = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config, size: text.length },
    layers: layers.map((each) => ({
      mediaType: 'application/vnd.oci.image.layer.v1.tar',
      digest: each,
      size: layer.length,
    })),
  })
  await put(name, tag, MANIFEST, bytes)
  return {
    digest: digest(bytes),
    size: bytes.length + text.length + layer.length,
    manifestSize: bytes.length,
  }
}

async function put(name: string, tag: string, type: string, bytes: string): Promise<void> {
  const headers = { 'content-type': type }
  const { status } = await http('PUT', `/v2/${name}/manifests/${tag}`, { headers, body: bytes })
  expect(status).toBe(201)
}

test('an artifact has every field of Harbor’s, right after the push', async () => {
  const image = await pushDocker('library/app', 'v1')
  const { status, json: body } = await admin('GET', `${ARTIFACTS}/v1`)
  expect(status).toBe(200)
  expect(body).toEqual({
    id: expect.any(Number),
    type: 'IMAGE',
    media_type: 'application/vnd.oci.image.config.v1+json',
    manifest_media_type: MANIFEST,
    artifact_type: 'application/vnd.oci.image.config.v1+json',
    project_id: 1,
    repository_id: expect.any(Number),
    repository_name: 'library/app',
    digest: image.digest,
    size: image.size,
    icon: 'sha256:0048162a053eef4d4ce3fe7518615bef084403614f8bca43b40ae2e762e11e06',
    push_time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    pull_time: '0001-01-01T00:00:00.000Z',
    extra_attrs: { created: null, architecture: 'arm64', os: 'linux', config: {}, author: '' },
    annotations: {},
    references: [],
    tags: [
      {
        id: expect.any(Number),
        repository_id: body.repository_id,
        artifact_id: body.id,
        name: 'v1',
        push_time: body.tags[0].push_time,
        pull_time: '0001-01-01T00:00:00.000Z',
        immutable: false,
      },
    ],
    labels: [],
    addition_links: {
      build_history: {
        absolute: false,
        href: `/api/v2.0${ARTIFACTS}/${image.digest}/additions/build_history`,
      },
    },
    accessories: [],
  })
  expect((await admin('GET', `${ARTIFACTS}/${image.digest}`)).json).toEqual(body)
  const bare = await admin('GET', `${ARTIFACTS}/v1?with_tag=false&with_label=true`)
  expect(bare.json.tags).toEqual([])
})

test('artifacts are listed with a total and links, filtered and sorted', async () => {
  await pushDocker('library/listed', 'a', 'x')
  await pushDocker('library/listed', 'b', 'xxx')
  await pushDocker('library/listed', 'c', 'xx')
  const list = (query: string) => admin('GET', `/projects/library/repositories/listed/artifacts?${query}`)
  const tags = (rows: { tags: { name: string }[] }[]) => rows.map((row) => row.tags[0]!.name)
  const first = await list('page=1&page_size=2')
  expect(tags(first.json)).toEqual(['c', 'b'])
  expect(first.headers['x-total-count']).toBe('3')
  expect(first.headers.link).toMatch(/page=2.*rel="next"/)
  expect(tags((await list('sort=size')).json)).toEqual(['a', 'c', 'b'])
  expect(tags((await list(`q=${encodeURIComponent('tags=~b')}`)).json)).toEqual(['b'])
  expect(tags((await list(`q=${encodeURIComponent(encodeURIComponent('tags=c'))}`)).json)).toEqual(['c'])
  expect((await list('page=0&page_size=0')).json).toHaveLength(3)
  expect((await list('page=999999999')).json).toEqual([])
  expect(await list('page_size=101')).toMatchObject({ status: 422 })
  expect(await list('q=size%3D[1')).toMatchObject({ status: 400, code: 'BAD_REQUEST' })
  expect((await admin('GET', '/projects/library/repositories/none/artifacts')).json).toEqual([])
})

test('a repository with slashes is the same in each way of writing it', async () => {
  const { digest: pushed } = await pushDocker('library/a/b', 'v1')
  for (const name of ['a/b', 'a%2Fb', 'a%252Fb']) {
    const { json: body } = await admin('GET', `/projects/library/repositories/${name}/artifacts/v1`)
    expect(body.digest).toBe(pushed)
    expect(body.addition_links.build_history.href).toContain('/repositories/a%252Fb/artifacts/')
  }
})

test('an index shows its manifests with their platforms, and is deleted with them', async () => {
  const name = 'library/multi'
  const child = await pushDocker(name, 'arm64')
  const index = JSON.parse(indexOf([{ digest: child.digest, size: child.manifestSize }]))
  index.manifests[0].platform = { architecture: 'arm64', os: 'linux' }
  await put(name, 'all', INDEX, JSON.stringify(index))
  const path = '/projects/library/repositories/multi/artifacts'
  const { json: body } = await admin('GET', `${path}/all`)
  expect(body.references).toEqual([
    {
      parent_id: body.id,
      child_id: (await admin('GET', `${path}/arm64`)).json.id,
      child_digest: child.digest,
      platform: { architecture: 'arm64', os: 'linux' },
      annotations: {},
      urls: [],
    },
  ])
  const refused = await admin('DELETE', `${path}/arm64`)
  expect(refused).toMatchObject({ status: 412, code: 'PRECONDITION' })
  expect((await admin('DELETE', `${path}/arm64/tags/arm64`)).status).toBe(200)
  expect((await admin('GET', path)).json).toHaveLength(1)
  expect((await admin('DELETE', `${path}/all`)).status).toBe(200)
  expect((await admin('GET', path)).json).toEqual([])
  expect(await admin('GET', `${path}/all`)).toMatchObject({ status: 404, code: 'NOT_FOUND' })
})

test('accessories are listed with what they belong to', async () => {
  const name = 'library/signed'
  const image = await pushDocker(name, 'v1')
  const signature = await pushImage(http, name, '', {
    subject: image.digest,
    artifactType: 'application/vnd.cncf.notary.signature',
  })
  const path = '/projects/library/repositories/signed/artifacts'
  const { json: body, headers } = await admin('GET', `${path}/v1/accessories`)
  expect(headers['x-total-count']).toBe('1')
  expect(body).toMatchObject([
    {
      type: 'signature.notation',
      digest: signature.digest,
      subject_artifact_digest: image.digest,
      subject_artifact_repo: name,
    },
  ])
  expect((await admin('GET', path)).json).toMatchObject([{ digest: image.digest, accessories: body }])
})

test('additions are what is inside, vulnerabilities are none before a scan', async () => {
  await pushDocker('library/app', 'v1')
  const path = `${ARTIFACTS}/v1/additions`
  const history = await admin('GET', `${path}/build_history`)
  expect(history.json).toEqual([{ created_by: 'RUN x' }])
  expect(history.headers['x-content-type-options']).toBe('nosniff')
  expect((await admin('GET', `${path}/vulnerabilities`)).json).toEqual({})
  expect(await admin('GET', `${path}/values.yaml`)).toMatchObject({ status: 400 })
  expect(await admin('GET', `${path}/secrets`)).toMatchObject({ status: 404 })
})

test('tags are created and deleted, and one that exists is a conflict', async () => {
  await pushDocker('library/app', 'v1')
  const path = `${ARTIFACTS}/v1/tags`
  const created = await admin('POST', path, { name: 'stable' })
  expect([created.status, created.headers.location]).toEqual([201, `/api/v2.0${path}/stable`])
  expect(await admin('POST', path, { name: 'stable' })).toMatchObject({ status: 409, code: 'CONFLICT' })
  expect(await admin('POST', path, { name: 'a b' })).toMatchObject({ status: 400 })
  const { json: body, headers } = await admin('GET', path)
  expect([body.map((tag: { name: string }) => tag.name), headers['x-total-count']]).toEqual([
    ['stable', 'v1'],
    '2',
  ])
  expect((await admin('DELETE', `${path}/stable`)).status).toBe(200)
  expect(await admin('DELETE', `${path}/stable`)).toMatchObject({ status: 404 })
})

test('an artifact is copied by tag or digest into another project', async () => {
  const image = await pushDocker('library/app', 'v1')
  const target = '/projects/secret/repositories/copy/artifacts'
  const copied = await admin('POST', `${target}?from=${encodeURIComponent('library/app:v1')}`)
  expect([copied.status, copied.headers.location]).toEqual([
    201,
    '/api/v2.0/projects/secret/repositories/copy/artifacts/v1',
  ])
  expect((await admin('GET', `${target}/v1`)).json.digest).toBe(image.digest)
  const by = await admin(
    'POST',
    `/projects/secret/repositories/a%252Fb/artifacts?from=library/app@${image.digest}`,
  )
  expect(by.headers.location).toBe(`/api/v2.0/projects/secret/repositories/a%252Fb/artifacts/${image.digest}`)
  expect(await admin('POST', target)).toMatchObject({ status: 422 })
  for (const from of ['library', 'library/app', 'app:v1', 'library/app@sha256:1', 'library/app:v1:v2'])
    expect(await admin('POST', `${target}?from=${encodeURIComponent(from)}`), from).toMatchObject({
      status: 400,
    })
  expect(await admin('POST', `${target}?from=library/app:v9`)).toMatchObject({ status: 404 })
})

test('labels are made, found, changed, put on artifacts and deleted', async () => {
  await pushDocker('library/app', 'v1')
  const made = await admin('POST', '/labels', { name: 'prod', color: '#FF0000', scope: 'g' })
  expect(made.status).toBe(201)
  const id = Number(String(made.headers.location).split('/').at(-1))
  const own = await admin('POST', '/labels', { name: 'prod', scope: 'p', project_id: 1 })
  expect(own.status).toBe(201)
  expect(await admin('POST', '/labels', { name: 'prod', scope: 'g' })).toMatchObject({ status: 409 })
  for (const wrong of [{ name: '', scope: 'g' }, { name: 'x' }, { name: 'x', scope: 'p' }])
    expect(await admin('POST', '/labels', wrong)).toMatchObject({ status: 400 })
  expect((await admin('GET', `/labels/${id}`)).json).toEqual({
    id,
    name: 'prod',
    description: '',
    color: '#FF0000',
    scope: 'g',
    project_id: 0,
    creation_time: expect.any(String),
    update_time: expect.any(String),
  })
  expect((await admin('GET', '/labels?scope=p&project_id=1&name=PR')).json).toMatchObject([{ project_id: 1 }])
  expect(await admin('GET', '/labels?scope=x')).toMatchObject({ status: 400 })
  expect(await admin('GET', '/labels?scope=p')).toMatchObject({ status: 400 })
  expect(
    (await admin('PUT', `/labels/${id}`, { name: 'production', color: '#00FF00', description: 'x' })).status,
  ).toBe(200)
  expect((await admin('POST', `${ARTIFACTS}/v1/labels`, { id })).status).toBe(200)
  expect(await admin('POST', `${ARTIFACTS}/v1/labels`, { id })).toMatchObject({ status: 409 })
  expect(await admin('POST', `${ARTIFACTS}/v1/labels`, {})).toMatchObject({ status: 400 })
  const query = `q=${encodeURIComponent(`labels=(${id})`)}&with_label=true`
  const { json: body } = await admin('GET', `${ARTIFACTS}?${query}`)
  expect(body).toMatchObject([{ labels: [{ id, name: 'production' }] }])
  expect((await admin('DELETE', `${ARTIFACTS}/v1/labels/${id}`)).status).toBe(200)
  expect(await admin('DELETE', `${ARTIFACTS}/v1/labels/${id}`)).toMatchObject({ status: 404 })
  expect((await admin('DELETE', `/labels/${id}`)).status).toBe(200)
  expect(await admin('GET', `/labels/${id}`)).toMatchObject({ status: 404, message: `label ${id} not found` })
})

test('a repository is shown, described, listed and deleted', async () => {
  await pushDocker('library/shown', 'v1')
  const path = '/projects/library/repositories/shown'
  expect((await admin('PUT', path, { description: '# Shown' })).status).toBe(200)
  expect((await admin('GET', path)).json).toEqual({
    id: expect.any(Number),
    project_id: 1,
    name: 'library/shown',
    description: '# Shown',
    artifact_count: 1,
    pull_count: 0,
    creation_time: expect.any(String),
    update_time: expect.any(String),
  })
  const q = `q=${encodeURIComponent('name=~show')}`
  expect((await admin('GET', `/projects/library/repositories?${q}`)).json).toMatchObject([
    { name: 'library/shown' },
  ])
  expect((await admin('GET', `/repositories?${q}`)).headers['x-total-count']).toBe('1')
  expect((await admin('DELETE', path)).status).toBe(200)
  expect(await admin('GET', path)).toMatchObject({ status: 404 })
})

test('pulls are counted for the artifact and its repository', async () => {
  const { digest: pushed } = await pushDocker('library/pulled', 'v1')
  for (let each = 0; each < 3; each++) await http('GET', '/v2/library/pulled/manifests/v1')
  await http('HEAD', '/v2/library/pulled/manifests/v1')
  await expect
    .poll(async () => (await admin('GET', '/projects/library/repositories/pulled')).json.pull_count, {
      timeout: 5000,
    })
    .toBeGreaterThan(0)
  const { json: body } = await admin('GET', `/projects/library/repositories/pulled/artifacts/${pushed}`)
  expect(body.pull_time).not.toMatch(/^0001/)
  expect(body.tags[0].pull_time).toBe(body.pull_time)
})

test('nobody sees a private project, reads are everybody’s in a public one, and changes nobody’s without a role', async () => {
  await pushDocker('secret/app', 'v1')
  await pushDocker('library/app', 'v1')
  const nobody = harborOf(server.url)
  const secret = '/projects/secret/repositories/app'
  for (const path of [secret, `${secret}/artifacts`, `${secret}/artifacts/v1`, `${secret}/artifacts/v1/tags`])
    expect(await nobody('GET', path), path).toMatchObject({ status: 401, code: 'UNAUTHORIZED' })
  const same = await nobody('GET', '/projects/no-such/repositories/app/artifacts')
  expect(same).toMatchObject({ status: 401 })
  for (const path of [ARTIFACTS, `${ARTIFACTS}/v1`, `${ARTIFACTS}/v1/tags`, `${ARTIFACTS}/v1/accessories`])
    expect((await nobody('GET', path)).status, path).toBe(200)
  for (const [method, path, body] of [
    ['DELETE', `${ARTIFACTS}/v1`],
    ['DELETE', REPOSITORY],
    ['PUT', REPOSITORY, { description: 'x' }],
    ['POST', `${ARTIFACTS}/v1/tags`, { name: 'x' }],
    ['DELETE', `${ARTIFACTS}/v1/tags/v1`],
    ['POST', `${ARTIFACTS}/v1/labels`, { id: 1 }],
    ['POST', `${ARTIFACTS}?from=secret/app:v1`],
    ['POST', '/labels', { name: 'x', scope: 'g' }],
    ['POST', '/labels', { name: 'x', scope: 'p', project_id: 1 }],
    ['GET', '/labels?scope=g'],
  ] as const)
    expect(await nobody(method, path, body), `${method} ${path}`).toMatchObject({ status: 401 })
  const { json: body } = await nobody('GET', '/repositories?page_size=100')
  expect(body.every(({ name }: { name: string }) => name.startsWith('library/'))).toBe(true)
  expect(body.length).toBeGreaterThan(0)
})
