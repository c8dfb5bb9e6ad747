// Lists of 100,000: our own, read by clients page by page; another registry's, by caches and rules. The server has a heap
// that holds no such list many times over.
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { openSqliteMetadataStore } from '../../lib/local/sqlite-metadata-store.ts'
import { keys } from '../../lib/registry/keys.ts'
import type { Item } from '../../lib/registry/ports.ts'
import { clientOf, pushImage } from '../api/client.ts'
import { harborOf, numberOf } from '../api/management.ts'
import { type Server, startServer } from '../support/server.ts'
import { type StaticRegistry, startStaticRegistry } from '../support/static-registry.ts'
import { toolPath } from '../tools.ts'

const COUNT = 100_000
const TAGS = Array.from({ length: COUNT }, (_, at) => `v${String(at).padStart(6, '0')}`)
const NAMES = Array.from({ length: COUNT }, (_, at) => `library/r${String(at).padStart(6, '0')}`)
const HEAP_MIB = 128

const run = promisify(execFile)
let directory: string
let server: Server
let there: StaticRegistry
const admin = () => harborOf(server.url, 'admin')
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'entrepot-lists-'))
  const dataDir = path.join(directory, 'data')
  const first = await startServer({ dataDir })
  await pushImage(clientOf(first.url), 'library/app', 'v000000')
  await first.stop()
  await fill(dataDir)
  server = await startServer({
    dataDir,
    args: ['--upstream-private-networks', '127.0.0.0/8'],
    env: { NODE_OPTIONS: `--max-old-space-size=${HEAP_MIB}` },
  })
})
afterAll(async () => {
  await server.stop()
  await rm(directory, { recursive: true, force: true })
})
beforeEach(async () => {
  there = await startStaticRegistry()
  there.repositories = NAMES
  there.tags = TAGS
})
afterEach(() => there.stop())

/** As pushes leave them, without their manifests: what lists are read from. */
async function fill(dataDir: string): Promise<void> {
  const store = await openSqliteMetadataStore(path.join(dataDir, 'entrepot.db'))
  const { id, projectId } = (await store.get(keys.repository('library/app')))!.attributes as Record<
    string,
    string
  >
  const { digest } = (await store.get(keys.tag(id!, 'v000000')))!.attributes
  const items: Item[] = [
    ...TAGS.map((tag) => ({ ...keys.tagListing(id!, tag), attributes: { v: 1, digest: digest!, atMs: 0 } })),
    ...NAMES.map((name) => ({ ...keys.catalog(name), attributes: { v: 1, id: id!, projectId: projectId! } })),
  ]
  for (let from = 0; from < items.length; from += 5000) {
    const some = items.slice(from, from + 5000)
    await store.batchWrite(some.map((item) => ({ kind: 'put', item })))
  }
  await store.close()
}

/** @returns lines that the client printed */
async function sh(command: string): Promise<string[]> {
  const env = { ...process.env, PATH: toolPath, HOME: directory }
  const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', command], { env, maxBuffer: 2 ** 26 })
  return stdout.trimEnd().split('\n')
}

const SKOPEO = (name: string) => `skopeo list-tags --tls-verify=false docker://${name} | jq -r '.Tags[]'`

test('crane, oras and skopeo read 100,000 tags and 100,000 repositories', async () => {
  const app = `${server.host}/library/app`
  for (const list of [`crane ls --insecure ${app}`, `oras repo tags --plain-http ${app}`, SKOPEO(app)]) {
    const tags = await sh(list)
    expect([list, tags.length, tags.at(-1)]).toEqual([list, COUNT, TAGS.at(-1)])
    expect(tags.toSorted()).toEqual(TAGS)
  }
  const all = ['library/app', ...NAMES]
  expect(await sh(`crane catalog --insecure ${server.host}`)).toEqual(all)
  expect(await sh(`oras repo ls --plain-http ${server.host}`)).toEqual(all)
})

async function register(name: string): Promise<number> {
  return numberOf(await admin()('POST', '/registries', { name, type: 'docker-registry', url: there.url }))
}

test.each([
  ['by pages of 1,000', 1000],
  ['all at once', undefined],
])('a cache of a registry that lists 100,000 tags %s hands them on in pages', async (how, pageSize) => {
  there.pageSize = pageSize
  const name = `cache-${pageSize ?? 'all'}`
  const registry_id = await register(name)
  await admin()('POST', '/projects', { project_name: name, registry_id, metadata: { public: 'true' } })
  const pages: number[] = []
  const tags: string[] = []
  const http = clientOf(server.url)
  for (let next: string | undefined = `/v2/${name}/app/tags/list?n=5000`; next; ) {
    const { status, body, headers } = await http('GET', next)
    expect([how, status]).toEqual([how, 200])
    const page = JSON.parse(body.toString()).tags
    pages.push(page.length)
    tags.push(...page)
    next = /<([^>]*)>/.exec(String(headers.link ?? ''))?.[1]
  }
  expect(Math.max(...pages)).toBe(Math.min(pageSize ?? 5000, 5000))
  expect(tags).toEqual(TAGS)
  if (pageSize) expect(await sh(`crane ls --insecure ${server.host}/${name}/app`)).toEqual(TAGS)
})

async function pullRule(name: string, filters: object[]): Promise<number> {
  const registry = await register(name)
  const rule = { name, src_registry: { id: registry }, filters, trigger: { type: 'manual' }, enabled: true }
  const policy_id = numberOf(await admin()('POST', '/replication/policies', rule))
  return numberOf(await admin()('POST', '/replication/executions', { policy_id }))
}

const execution = async (id: number) => (await admin()('GET', `/replication/executions/${id}`)).json

test.each([
  ['by pages of 1,000', 1000],
  ['all at once', undefined],
])(
  'a rule finds its few among 100,000 repositories and 100,000 tags that are listed %s',
  async (_, pageSize) => {
    there.pageSize = pageSize
    const id = await pullRule(`few-${pageSize ?? 'all'}`, [
      { type: 'name', value: '**/r09999?' },
      { type: 'tag', value: 'v0999{98,99}' },
    ])
    await expect.poll(async () => (await execution(id)).status, { timeout: 60_000 }).toBe('Succeed')
    // The plan and, of ten repositories, two tags each, which are gone when they are looked for.
    expect((await execution(id)).total).toBe(21)
  },
  90_000,
)

test('a rule that takes everything of 100,000 repositories is stopped at once, and others are served meanwhile', async () => {
  there.tags = ['v000000']
  const id = await pullRule('everything', [{ type: 'name', value: '**' }])
  await expect.poll(async () => (await execution(id)).total).toBeGreaterThan(100)
  expect((await clientOf(server.url)('GET', '/v2/library/app/tags/list?n=1')).status).toBe(200)
  expect((await admin()('PUT', `/replication/executions/${id}`)).status).toBe(200)
  await expect.poll(async () => (await execution(id)).status, { timeout: 30_000 }).toBe('Stopped')
})

test('a list that is larger than what is read of a page is refused with its reason', async () => {
  there.pageSize = undefined
  there.repositories = NAMES.map((name) => `${name}/${'x'.repeat(190)}`)
  const id = await pullRule('huge', [{ type: 'name', value: '**' }])
  const [task] = (await admin()('GET', `/replication/executions/${id}/tasks`)).json
  const log = async () =>
    (await admin()('GET', `/replication/executions/${id}/tasks/${task.id}/log`)).body.toString()
  await expect.poll(log, { timeout: 30_000 }).toMatch(/more than 16777216 bytes/)
  expect((await admin()('PUT', `/replication/executions/${id}`)).status).toBe(200)
})
