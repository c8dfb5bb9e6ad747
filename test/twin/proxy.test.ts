// A cache in the cloud: manifests come through the function, blobs that are not there through the ingest tasks.
import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sha256 } from '../../lib/doctor/client.ts'
import { clientOf, pushImage } from '../api/client.ts'
import { openWorkplace, type Workplace } from '../clients/workplace.ts'
import { type DockerHub, startDockerHub } from '../support/docker-hub.ts'
import { type Server, startServer } from '../support/server.ts'
import { askerFor } from './everything.ts'
import { managementOf } from './management.ts'
import { sharedTwin } from './shared.ts'
import type { Twin } from './twin.ts'

const CACHE = 'cloud-cache'
let twin: Twin
let at: Workplace
let other: Server
let hub: DockerHub
beforeAll(async () => {
  twin = await sharedTwin()
  at = await openWorkplace()
  other = await startServer()
  hub = await startDockerHub({ origin: other.url })
  const admin = managementOf(twin, 'admin', twin.adminPassword)
  const registry = { name: 'hub', type: 'docker-hub', url: hub.url }
  const { answer } = await admin('POST', '/registries', 201, registry)
  const registry_id = Number(answer.headers.get('location')!.split('/').at(-1))
  await admin('POST', '/projects', 201, {
    project_name: CACHE,
    registry_id,
    metadata: { public: 'true' },
  })
}, 240_000)
afterAll(async () => {
  await at.close()
  await hub.stop()
  await other.stop()
})

test('crane pulls an image cold, whole and with the upstream’s digest; each part of it was fetched once', async () => {
  const layer = randomBytes(9_000_000).toString('base64') // more than a function can send
  const { digest } = await pushImage(clientOf(other.url), 'library/app', 'v1', { layer })
  await at.sh(`crane auth login ${at.host} -u admin -p $PASSWORD --insecure`)
  const name = `${at.host}/${CACHE}/app:v1`
  expect((await at.sh(`crane digest --insecure ${name}`)).trim()).toBe(digest)
  const sum = await at.sh(
    `crane blob --insecure ${at.host}/${CACHE}/app@${sha256(Buffer.from(layer))} | sha256sum`,
  )
  expect(`sha256:${sum.split(' ')[0]}`).toBe(sha256(Buffer.from(layer)))
  await at.sh(`crane pull --insecure --format oci ${name} pulled`)
  expect([...hub.fetched().values()]).toEqual([1, 1, 1])
})

test('the client is sent from the function to the tasks, and to S3 when the blob is there', async () => {
  const { layer } = await pushImage(clientOf(other.url), 'library/steps', 'v1', { layer: 'steps' })
  const ask = await askerFor(twin, `${CACHE}/library/steps`)
  const path = `/v2/${CACHE}/library/steps/blobs/${layer}`
  const first = await ask('GET', path, { follow: false })
  expect([first.status, first.headers.get('location')]).toEqual([307, `${path}?via=ingest`])
  const got = await ask('GET', `${path}?via=ingest`)
  expect([got.status, got.body.toString()]).toEqual([200, 'steps'])
  const second = await ask('GET', path, { follow: false })
  expect([second.status, second.headers.get('location')]).toEqual([
    307,
    expect.stringContaining('X-Amz-Signature'),
  ])
  expect((await ask('GET', path)).body.toString()).toBe('steps')
})
