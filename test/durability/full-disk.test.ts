// A full disk: a clear 507, nothing damaged, and pushes go on once there is room.
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clientOf, digest, pushImage, startUpload } from '../api/client.ts'
import { entrepot } from '../cli/command.ts'
import { type Server, startServer } from '../support/server.ts'

let disk: string
let server: Server
beforeAll(async () => {
  disk = await mkdtemp(path.join(tmpdir(), 'entrepot-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', disk])
  server = await startServer({ dataDir: path.join(disk, 'data') })
})
afterAll(async () => {
  await server.stop()
  execFileSync('umount', [disk])
  await rm(disk, { recursive: true })
})

test('a full disk answers 507, what was there stays readable, and pushes go on when there is room again', async () => {
  const http = clientOf(server.url)
  const image = await pushImage(http, 'lab/app', 'v1')
  const large = randomBytes(40_000_000)
  const whole = await http('PUT', `${await startUpload(http, 'lab/app')}?digest=${digest(large)}`, {
    body: large,
  })
  expect([whole.status, whole.code]).toEqual([507, 'UNAVAILABLE'])
  const location = await startUpload(http, 'lab/app')
  const streamed = await http('PATCH', location, { body: large })
  expect(streamed.status).toBe(507)
  const ballast = path.join(disk, 'ballast')
  await http('DELETE', location)
  await writeFile(ballast, Buffer.alloc(30_000_000)).catch(() => {})
  for (let attempt = 0; attempt < 50; attempt++)
    expect((await http('POST', `/v2/lab/new-${attempt}/blobs/uploads/`)).status).toBe(507)
  expect((await http('GET', '/healthz')).status).toBe(200)
  expect((await http('GET', `/v2/lab/app/blobs/${image.layer}`)).status).toBe(200)
  const manifest = await http('GET', '/v2/lab/app/manifests/v1')
  expect(manifest.body.toString()).toBe(image.bytes)
  await rm(ballast)
  const again = await pushImage(http, 'lab/app', 'v2', { layer: 'there is room again' })
  expect((await http('GET', '/v2/lab/app/manifests/v2')).body.toString()).toBe(again.bytes)
  const checked = await entrepot(['fsck', '--data', path.join(disk, 'data')])
  expect(checked.stdout).toContain('0 errors')
})
