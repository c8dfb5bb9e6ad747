// Three processes on one store: whoever is disabled at one of them pushes nothing more through any of them a second later.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Client, clientOf, MANIFEST, pushImage } from '../api/client.ts'
import { basic, type Harbor, harborOf, makeUser, PASSWORD } from '../api/management.ts'
import { type Server, startServer } from '../support/server.ts'

let data: string
let servers: Server[]
let admin: Harbor
beforeAll(async () => {
  process.env.TEST_STORES = 'aws'
  data = await mkdtemp(path.join(tmpdir(), 'entrepot-three-'))
  const options = { dataDir: data, open: false, env: { ENTREPOT_REDIRECT_BLOBS: 'off' } }
  servers = []
  for (let at = 0; at < 3; at++) servers.push(await startServer(options))
  admin = harborOf(servers[0]!.url, 'admin')
}, 120_000)
afterAll(async () => {
  for (const server of servers) await server.stop()
  await rm(data, { recursive: true, force: true })
})

async function tokenOf(name: string, secret: string): Promise<string> {
  const scope = 'scope=repository:library/app:pull,push'
  const answer = await fetch(`${servers[1]!.url}/service/token?service=entrepot&${scope}`, {
    headers: { authorization: basic(name, secret) },
  })
  expect(answer.status).toBe(200)
  return ((await answer.json()) as { token: string }).token
}

/** What each process answers to the beginning and to the end of a push, and to a pull. */
function attempts(token: string, manifest: string) {
  return Promise.all(
    servers.map(async ({ url }) => {
      const http: Client = clientOf(url, `Bearer ${token}`)
      const post = await http('POST', '/v2/library/app/blobs/uploads/')
      const put = await http('PUT', '/v2/library/app/manifests/again', {
        headers: { 'content-type': MANIFEST },
        body: manifest,
      })
      const get = await http('GET', '/v2/library/app/manifests/v1')
      return [post.status, put.status, get.status]
    }),
  )
}

const all = (statuses: number[]) => [statuses, statuses, statuses]

async function expectPushesEnd(
  token: string,
  manifest: string,
  disable: () => Promise<number>,
): Promise<void> {
  expect(await attempts(token, manifest)).toEqual(all([202, 201, 200]))
  expect(await disable()).toBe(200)
  await new Promise((resolve) => setTimeout(resolve, 1000))
  // Pulls end with the token, in half an hour at most.
  expect(await attempts(token, manifest)).toEqual(all([401, 401, 200]))
}

test('a disabled user, a disabled robot and a member without role push nothing more a second later', async () => {
  const image = await pushImage(
    clientOf(servers[2]!.url, basic('admin', servers[0]!.adminPassword)),
    'library/app',
    'v1',
  )
  const user = await makeUser(admin, 'pusher')
  const member = await admin('POST', '/projects/library/members', {
    role_id: 2,
    member_user: { username: 'pusher' },
  })
  expect(member.status).toBe(201)
  const profile = { email: 'pusher@example.com', realname: 'pusher' }
  const set = async (disabled: boolean) =>
    (await admin('PUT', `/users/${user}`, { ...profile, disabled })).status
  await expectPushesEnd(await tokenOf('pusher', PASSWORD), image.bytes, () => set(true))
  await set(false)
  await new Promise((resolve) => setTimeout(resolve, 1000))
  const path = String(member.headers.location).slice('/api/v2.0'.length)
  await expectPushesEnd(await tokenOf('pusher', PASSWORD), image.bytes, async () => {
    await new Promise((resolve) => setTimeout(resolve, 1000)) // times of tokens are whole seconds
    return (await admin('DELETE', path)).status
  })
}, 60_000)

test('a robot that is disabled, has a new secret or is deleted pushes nothing more a second later', async () => {
  const image = await pushImage(
    clientOf(servers[2]!.url, basic('admin', servers[0]!.adminPassword)),
    'library/app',
    'v1',
  )
  const access = ['pull', 'push'].map((action) => ({ resource: 'repository', action }))
  const permissions = [{ kind: 'project', namespace: 'library', access }]
  const endings: ((id: number, whole: object) => Promise<number>)[] = [
    async (id, whole) => (await admin('PUT', `/robots/${id}`, { ...whole, disable: true })).status,
    async (id) => (await admin('PATCH', `/robots/${id}`, { secret: '' })).status,
    async (id) => (await admin('DELETE', `/robots/${id}`)).status,
  ]
  for (const [at, end] of endings.entries()) {
    const body = { name: `r${at}`, level: 'project', duration: 1, permissions }
    const { id, name, secret } = (await admin('POST', '/robots', body)).json
    const whole = (await admin('GET', `/robots/${id}`)).json
    await expectPushesEnd(await tokenOf(name, secret), image.bytes, async () => {
      await new Promise((resolve) => setTimeout(resolve, 1000)) // times of tokens are whole seconds
      return end(id, whole)
    })
  }
}, 60_000)
