// `entrepot proxy`: what the caches saved, and which project stands for which registry.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clientOf, pushImage } from '../api/client.ts'
import { harborOf, numberOf } from '../api/management.ts'
import { type DockerHub, startDockerHub } from '../support/docker-hub.ts'
import { type Server, startServer } from '../support/server.ts'
import { entrepot } from './command.ts'

let directory: string
let other: Server
let hub: DockerHub
let server: Server
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'entrepot-proxy-'))
  other = await startServer({ env: { TEST_STORES: '' } })
  hub = await startDockerHub({ origin: other.url, limit: 50 })
  const args = ['--upstream-private-networks', '127.0.0.0/8']
  server = await startServer({ dataDir: path.join(directory, 'data'), open: false, args })
  const admin = harborOf(server.url, 'admin')
  const registry = { name: 'hub', type: 'docker-hub', url: hub.url }
  const registry_id = numberOf(await admin('POST', '/registries', registry))
  await admin('POST', '/projects', { project_name: 'hub', registry_id, metadata: { public: 'true' } })
})
afterAll(async () => {
  for (const each of [server, other, hub]) await each.stop()
  await rm(directory, { recursive: true, force: true })
})

const run = (...args: string[]) => entrepot([...args, '--data', path.join(directory, 'data')])

test('proxy status tells what was served, fetched and saved, and the upstream’s budget', async () => {
  const { layer, config } = await pushImage(clientOf(other.url), 'library/app', 'v1')
  const http = clientOf(server.url)
  for (let pull = 0; pull < 3; pull++)
    for (const what of ['manifests/v1', `blobs/${layer}`, `blobs/${config}`])
      expect((await http('GET', `/v2/hub/app/${what}`)).status).toBe(200)
  const line = async () => (await run('proxy', 'status')).stdout.split('\n')[1]?.split('\t')
  await expect
    .poll(line)
    .toEqual([
      'hub',
      hub.url,
      '9',
      '3',
      '6',
      '1',
      '0',
      '0',
      '7 days',
      expect.stringMatching(/^49 of 50 in 21600 s at \d{4}-/),
    ])
})

test('what was cached is in order: fsck finds nothing', async () => {
  const found = await run('fsck')
  expect([found.code, found.stderr]).toEqual([0, ''])
})

test('a project stands for a registry, until it does no more; only a cache can', async () => {
  expect((await run('proxy', 'mirror', 'docker.io', 'hub')).stdout).toBe('docker.io\thub\n')
  expect((await run('proxy', 'mirror', '*', 'hub')).stdout).toBe('docker.io\thub\n*\thub\n')
  const refused = await run('proxy', 'mirror', 'ghcr.io', 'library')
  expect([refused.code, refused.stdout]).toEqual([1, 'REQUEST_INVALID: library is no proxy cache project\n'])
  expect((await run('proxy', 'mirror', 'docker.io')).code).toBe(2)
  expect((await run('proxy', 'mirror', '*', '--off')).stdout).toBe('docker.io\thub\n')
  expect((await run('proxy', 'mirror')).stdout).toBe('docker.io\thub\n')
})
