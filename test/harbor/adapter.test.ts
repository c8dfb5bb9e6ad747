// A Harbor that replicates with this registry: its own adapters, compiled into a program of ours (adapter/main.go), list
// it, pull from it and push to it. What they find is compared with what crane and oras say.
import { createHash } from 'node:crypto'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Client, clientOf, pushImage } from '../api/client.ts'
import { numberOf } from '../api/management.ts'
import { type Image, makeImage } from '../clients/image.ts'
import { openPlace, type Place } from './place.ts'

/** More than one page of a hundred. */
const REPOSITORIES = 103
const TYPES = ['harbor', 'docker-registry'] as const

interface Found {
  repository: string
  artifacts: { digest: string; tags: string[] | null; labels: string[] | null }[]
}

let at: Place
let host: string
let registry: Client
let image: Image
let index: Image

beforeAll(async () => {
  at = await openPlace()
  host = new URL(at.url).host
  registry = clientOf(at.url, `Basic ${Buffer.from(`admin:${at.password}`).toString('base64')}`)
  await at.succeed('crane', ['auth', 'login', host, '-u', 'admin', '-p', at.password, '--insecure'])
  for (const name of ['team', 'many'])
    numberOf(await at.harbor('POST', '/projects', { json: { project_name: name } }))
  image = await makeImage(path.join(at.directory, 'image'), { layers: 3, layerBytes: 300_000 })
  index = await makeImage(path.join(at.directory, 'index'), {
    layers: 2,
    layerBytes: 100_000,
    architectures: ['amd64', 'arm64'],
  })
  await skopeo(image, `${host}/team/app:v1`, '--dest-creds', `admin:${at.password}`)
  await skopeo(index, `${host}/team/deep/er/tool:v2`, '--dest-creds', `admin:${at.password}`)
  await crane('tag', '--insecure', `${host}/team/deep/er/tool:v2`, 'stable')
  for (let each = 0; each < REPOSITORIES; each++) await pushImage(registry, `many/r${each}`, 'v1')
}, 120_000)
afterAll(() => at.close())

const skopeo = ({ layout }: Image, to: string, ...more: string[]) =>
  at.succeed('skopeo', [
    ...['copy', '-q', '--all', '--preserve-digests', '--dest-tls-verify=false', ...more],
    ...[`oci:${layout}:v1`, `docker://${to}`],
  ])
const crane = async (...args: string[]) => (await at.succeed('crane', args)).trim()

/** @returns what the adapter of the type says as that user */
async function adapter<T>(type: string, args: string[], user = 'admin', password = at.password): Promise<T> {
  const env = { PASSWORD: password, LOG_LEVEL: 'fatal' }
  return JSON.parse(await at.succeed('harbor-adapter', [type, at.url, user, ...args], env)) as T
}

/** `repository:tag` of everything with a tag, sorted. */
const tagged = (found: Found[]) =>
  found
    .flatMap(({ repository, artifacts }) =>
      artifacts.flatMap(({ tags }) => (tags ?? []).map((tag) => `${repository}:${tag}`)),
    )
    .sort()

describe.each(TYPES)('the adapter of Harbor for %s', (type) => {
  test('finds the registry well with the right password only', async () => {
    expect(await adapter(type, ['health'])).toBe('healthy')
    expect(await adapter(type, ['health'], 'admin', 'Wrong-12345')).toBe('unhealthy')
  })

  test('lists all repositories and tags that crane lists, over all pages', async () => {
    const names = (await crane('catalog', '--insecure', host)).split('\n')
    expect(names.length).toBeGreaterThan(REPOSITORIES)
    const lists = await Promise.all(
      names.map(async (name) =>
        (await crane('ls', '--insecure', `${host}/${name}`)).split('\n').map((tag) => `${name}:${tag}`),
      ),
    )
    expect(tagged(await adapter<Found[]>(type, ['fetch']))).toEqual(lists.flat().sort())
  })

  test.each([
    [['name=team/**'], ['team/app:v1', 'team/deep/er/tool:stable', 'team/deep/er/tool:v2']],
    [['name=team/app'], ['team/app:v1']],
    [
      ['name=team/**', 'tag=v*'],
      ['team/app:v1', 'team/deep/er/tool:v2'],
    ],
    [['name=team/**', 'tag!=v*'], ['team/deep/er/tool:stable']],
    [['name=many/r10{0,2}'], ['many/r100:v1', 'many/r102:v1']],
    [['name=nowhere/**'], []],
  ])('finds with %j what they mean', async (filters, expected) => {
    expect(tagged(await adapter<Found[]>(type, ['fetch', ...filters]))).toEqual(expected)
  })

  test('sees manifests, and pulls them byte for byte', async () => {
    for (const [name, tag, pushed] of [
      ['team/app', 'v1', image],
      ['team/deep/er/tool', 'stable', index],
    ] as const) {
      const digest = await crane('digest', '--insecure', `${host}/${name}:${tag}`)
      const manifest = await adapter<object>(type, ['manifest', name, tag])
      expect(manifest).toMatchObject({ digest, computed: digest })
      expect(await adapter(type, ['exist', name, tag])).toMatchObject({
        exists: true,
        descriptor: { digest: pushed.digest },
      })
      expect(await adapter(type, ['manifest', name, digest])).toEqual(manifest)
    }
    expect(await adapter(type, ['exist', 'team/app', 'v9'])).toMatchObject({ exists: false })
    expect(await adapter(type, ['exist', 'team/nothing', 'v1'])).toMatchObject({ exists: false })
  })

  test('pulls blobs, whole and by pieces', async () => {
    const layer = image.blobs.at(-1)!
    const { length } = Buffer.from(await craneBlob(layer.digest), 'base64')
    const whole = { size: length, read: length, computed: layer.digest }
    expect(await adapter(type, ['blob', 'team/app', layer.digest])).toEqual(whole)
    const piece = await adapter<{ read: number; computed: string }>(type, [
      ...['chunk', 'team/app', layer.digest, String(length), '1000', '4999'],
    ])
    const expected = Buffer.from(await craneBlob(layer.digest), 'base64').subarray(1000, 5000)
    expect(piece).toMatchObject({
      read: 4000,
      computed: `sha256:${createHash('sha256').update(expected).digest('hex')}`,
    })
  })

  test('sees what refers to an image', async () => {
    await pushImage(registry, 'team/app', '', { subject: image.digest, artifactType: 'application/x.note' })
    const { manifests } = await adapter<{ manifests: { digest: string }[] }>(type, [
      ...['referrers', 'team/app', image.digest],
    ])
    const seen = await at.succeed('oras', [
      ...['discover', '--plain-http', '--format', 'json', `${host}/team/app@${image.digest}`],
      ...['-u', 'admin', '-p', at.password],
    ])
    expect(manifests).toHaveLength(1)
    expect(seen).toContain(manifests[0]!.digest)
  })

  test('pushes images from here and from elsewhere into another project', async () => {
    const project = `from-${type}`
    // Only the one for Harbor makes the project that it needs.
    if (type !== 'harbor') numberOf(await at.harbor('POST', '/projects', { json: { project_name: project } }))
    const other = await makeImage(path.join(at.directory, project), { layers: 2, layerBytes: 100_000 })
    await skopeo(other, `${at.origin.host}/library/other:v1`)
    for (const [pushed, name, from] of [
      [image, 'team/app', ''],
      [other, 'library/other', at.origin.url],
    ] as const) {
      const to = `${project}/copied/${path.basename(name)}`
      const { mounted } = await adapter<{ mounted: string[] }>(type, ['copy', name, 'v1', to, from])
      // The one for any registry cannot ask where a blob is.
      expect(mounted).toHaveLength(type === 'harbor' && from === '' ? pushed.blobs.length : 0)
      expect(await crane('digest', '--insecure', `${host}/${to}:v1`)).toBe(pushed.digest)
      await crane('validate', '--insecure', '--remote', `${host}/${to}:v1`)
      // A second time everything is there.
      await adapter(type, ['copy', name, 'v1', to, from])
    }
  })

  test('reads as a robot what the robot may pull, and nothing else', async () => {
    const permissions = [
      {
        kind: 'project',
        namespace: 'team',
        access: [
          { resource: 'repository', action: 'pull' },
          { resource: 'repository', action: 'list' },
          { resource: 'artifact', action: 'list' },
        ],
      },
    ]
    const json = { name: `reader-${type}`, duration: 1, level: 'system', permissions }
    const { name, secret } = (await at.harbor('POST', '/robots', { json })).json
    expect(await adapter(type, ['manifest', 'team/app', 'v1'], name, secret)).toMatchObject({
      digest: image.digest,
    })
    const ran = await at.run('harbor-adapter', [type, at.url, name, 'manifest', 'many/r1', 'v1'], {
      PASSWORD: secret,
      LOG_LEVEL: 'fatal',
    })
    expect(ran.code).not.toBe(0)
    expect(ran.output).toMatch(/UNAUTHORIZED|FORBIDDEN|DENIED|401|403/i)
  })
})

test('the adapter for Harbor filters by label, and offers the labels there are', async () => {
  const { id } = await label('reviewed')
  const target = '/projects/team/repositories/app/artifacts/v1/labels'
  expect((await at.harbor('POST', target, { json: { id } })).status).toBe(200)
  expect(tagged(await adapter<Found[]>('harbor', ['fetch', 'label=reviewed']))).toEqual(['team/app:v1'])
  expect(JSON.stringify(await adapter('harbor', ['info']))).toContain('reviewed')
})

test('the adapter for Harbor mounts blobs only from where they are and may be pulled', async () => {
  const where = async (digest: string, user?: string, secret?: string) =>
    (await adapter<{ repository: string }>('harbor', ['mountable', digest], user, secret)).repository
  const layer = index.blobs.at(-3)!.digest
  expect(await where(layer)).toBe('team/deep/er/tool')
  expect(await where(`sha256:${'0'.repeat(64)}`)).toBe('')
  const access = [{ resource: 'repository', action: 'list' }]
  const permissions = [{ kind: 'project', namespace: '*', access }]
  const json = { name: 'looker', duration: 1, level: 'system', permissions }
  const { name, secret } = (await at.harbor('POST', '/robots', { json })).json
  expect(await where(layer, name, secret)).toBe('')
})

test('the adapter for Harbor takes tags away', async () => {
  await adapter('harbor', ['untag', 'team/deep/er/tool', 'stable'])
  expect(await crane('ls', '--insecure', `${host}/team/deep/er/tool`)).toBe('v2')
})

test('Harbor’s adapters were told nothing that a Harbor would not say', () => {
  expect([...at.breaches]).toEqual([])
})

/** Of a blob of `team/app`, in Base64. */
async function craneBlob(digest: string): Promise<string> {
  return at.succeed('bash', ['-c', `crane blob --insecure ${host}/team/app@${digest} | base64 -w0`])
}

async function label(name: string): Promise<{ id: number }> {
  await at.harbor('POST', '/labels', { json: { name, scope: 'g', color: '#FF0000' } })
  return (await at.harbor('GET', `/labels?scope=g&name=${name}`)).json[0]
}
