// What operators do: projects, undo, garbage collection, fsck, scrub, backup, logs; on a running registry and a stopped one.
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Client, clientOf, MANIFEST, pushBlob, pushImage } from '../api/client.ts'
import { type Server, startServer } from '../support/server.ts'
import { entrepot } from './command.ts'

let directory: string
let data: string
let server: Server
let http: Client
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'entrepot-operations-'))
  data = path.join(directory, 'data')
  server = await startServer({ dataDir: data })
  http = clientOf(server.url)
})
afterEach(async () => {
  await server.stop()
  await rm(directory, { recursive: true, force: true })
})

const run = (...args: string[]) => entrepot([...args, '--data', data])
const objects = async () =>
  (await readdir(path.join(data, 'b'), { recursive: true, withFileTypes: true })).filter((each) =>
    each.isFile(),
  )

test('a deleted tag comes back with undo, on the running registry', async () => {
  const image = await pushImage(http, 'lab/app', 'v1')
  await http('DELETE', '/v2/lab/app/manifests/v1')
  const undone = await run('undo', 'lab/app:v1')
  expect(undone.stdout).toContain(`lab/app:v1 -> ${image.digest}`)
  expect((await http('GET', '/v2/lab/app/manifests/v1')).body.toString()).toBe(image.bytes)
})

test('an overwritten tag goes back to what it was, and the history tells every move', async () => {
  const first = await pushImage(http, 'lab/app', 'v1', { layer: 'first' })
  const second = await pushImage(http, 'lab/app', 'v1', { layer: 'second' })
  await run('undo', 'lab/app:v1')
  expect((await http('HEAD', '/v2/lab/app/manifests/v1')).headers['docker-content-digest']).toBe(first.digest)
  const moves = (await run('history', 'lab/app:v1')).stdout
    .trim()
    .split('\n')
    .map((line) => line.split('\t'))
  expect(moves.map((move) => [move[2], move[4]])).toEqual([
    [first.digest, 'undo'],
    [second.digest, 'push'],
    [first.digest, 'push'],
  ])
})

test('a deleted manifest comes back with its tags, also on a stopped registry', async () => {
  const image = await pushImage(http, 'lab/app', 'v1')
  await http('PUT', '/v2/lab/app/manifests/v2', { headers: { 'content-type': MANIFEST }, body: image.bytes })
  await http('DELETE', `/v2/lab/app/manifests/${image.digest}`)
  await server.stop()
  const undone = await run('undo', `lab/app@${image.digest}`)
  expect(undone.stdout).toContain('restored')
  server = await startServer({ dataDir: data })
  http = clientOf(server.url)
  for (const tag of ['v1', 'v2'])
    expect((await http('GET', `/v2/lab/app/manifests/${tag}`)).body.toString()).toBe(image.bytes)
  expect((await http('GET', `/v2/lab/app/blobs/${image.layer}`)).status).toBe(200)
})

test('undo says when there is nothing to go back to', async () => {
  await pushImage(http, 'lab/app', 'v1')
  const refused = await run('undo', 'lab/app:v1')
  expect([refused.code, refused.stdout]).toEqual([1, expect.stringContaining('has no earlier manifest')])
})

test('a sweep is recorded, frees nothing that is young, and says so', async () => {
  await pushBlob(http, 'lab/app', 'unreferenced')
  const before = await objects()
  expect((await run('gc')).stdout).toContain('0 objects, 0 bytes freed')
  expect(await objects()).toEqual(before)
  expect((await run('gc', 'list')).stdout).toContain('done')
})

test('fsck finds nothing wrong with a registry in use, and bytes that went missing', async () => {
  await pushImage(http, 'lab/app', 'v1')
  const clean = await run('fsck')
  expect([clean.code, clean.stdout]).toEqual([0, expect.stringContaining('0 errors, 0 notes')])
  const [object] = await objects()
  await rm(path.join(object!.parentPath, object!.name))
  const broken = await run('fsck')
  expect(broken.code).toBe(1)
  expect(broken.stdout).toMatch(/error\tblob sha256:\S+ of repository \S+\tits object \S+ is missing/)
})

test('a corrupted blob is found by scrub, no longer served, and repaired by pushing it again', async () => {
  const image = await pushImage(http, 'lab/app', 'v1', { layer: 'precious' })
  for (const file of await objects()) {
    const name = path.join(file.parentPath, file.name)
    if ((await readFile(name, 'utf8')) === 'precious') await writeFile(name, 'prEcious')
  }
  const found = await run('scrub')
  expect(found.code).toBe(1)
  expect(found.stdout).toContain(`corrupt\t`)
  expect(found.stdout).toContain(image.layer)
  const refused = await http('GET', `/v2/lab/app/blobs/${image.layer}`)
  expect([refused.status, refused.code]).toEqual([404, 'BLOB_UNKNOWN'])
  expect(refused.message).toContain('push it again')
  await pushBlob(http, 'lab/app', 'precious')
  expect((await http('GET', `/v2/lab/app/blobs/${image.layer}`)).body.toString()).toBe('precious')
  expect((await run('scrub')).code).toBe(0)
  expect((await run('fsck')).code).toBe(0)
})

test('a blob whose file was cut short is never taken for whole', async () => {
  for (const size of [1000, 300_000]) {
    const digest = await pushBlob(http, 'lab/app', Buffer.alloc(size, 'x'))
    const file = (await objects()).map((each) => path.join(each.parentPath, each.name)).at(-1)!
    await truncate(file, size - 10)
    const answer = await fetch(`${server.url}/v2/lab/app/blobs/${digest}`)
      .then(async (response) => (response.ok ? (await response.arrayBuffer()).byteLength : response.status))
      .catch(() => 'broken off')
    expect(answer).toBe(size === 1000 ? 404 : 'broken off')
    await rm(file)
  }
})

test('a backup made while pushes go on starts as a registry of its own with everything that was there', async () => {
  const image = await pushImage(http, 'lab/app', 'v1')
  const pushing = Promise.all(
    Array.from({ length: 10 }, (_, number) => pushImage(http, 'lab/busy', `v${number}`)),
  )
  const target = path.join(directory, 'backup')
  expect((await run('backup', target)).code).toBe(0)
  await pushing
  expect((await run('backup', target)).stdout).toContain('is not empty')
  const copy = await startServer({ dataDir: target })
  const got = await clientOf(copy.url)('GET', '/v2/lab/app/manifests/v1')
  expect(got.body.toString()).toBe(image.bytes)
  await copy.stop()
  const checked = await entrepot(['fsck', '--data', target])
  expect([checked.code, checked.stdout]).toEqual([0, expect.stringContaining('0 errors')])
})

test('projects are made and listed; one that exists, or a bad name, is refused', async () => {
  expect((await run('project', 'create', 'team', '--public')).stdout).toContain(
    'created project team (public',
  )
  expect((await run('project', 'list')).stdout).toContain('team\tpublic')
  expect((await run('project', 'create', 'team')).stdout).toContain('exists already')
  expect((await run('project', 'create', 'Bad Name')).code).toBe(1)
  expect((await run('project', 'create')).code).toBe(2)
  expect((await run('nonsense')).code).toBe(2)
})

test('the log has a component in every line and the request id of every answer', async () => {
  const answer = await http('GET', '/v2/lab/none/tags/list')
  const id = String(answer.headers['x-request-id'])
  await server.stop()
  const lines = (await run('logs', '--component', 'http')).stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(lines.find((line) => line.requestId === id)).toMatchObject({
    component: 'http',
    status: 404,
    method: 'GET',
  })
  expect(new Set(lines.map((line) => line.component))).toEqual(new Set(['http']))
})

test('a log that has grown large is put aside, and the next one begun', async () => {
  await server.stop()
  const log = path.join(data, 'logs', 'entrepot.jsonl')
  await truncate(log, 64 * 1024 * 1024)
  server = await startServer({ dataDir: data })
  expect((await readdir(path.join(data, 'logs'))).sort()).toEqual(['entrepot.1.jsonl', 'entrepot.jsonl'])
})

test('/metrics counts requests, and /healthz answers', async () => {
  await pushImage(http, 'lab/app', 'v1')
  const metrics = (await http('GET', '/metrics')).body.toString()
  expect(metrics).toMatch(/entrepot_http_requests_total\{method="PUT",route="manifest",status="201"\} 1/)
  expect((await http('GET', '/healthz')).body.toString()).toBe('{"status":"ok"}')
})
