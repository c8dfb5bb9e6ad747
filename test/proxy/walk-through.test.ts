// The walk-throughs of a cache of Docker Hub and of a rule by event, as they stand in our documentation, command by command,
// with a real docker, the imitation of Docker Hub and another Entrepôt. The commands that their readers know from the guide
// to Harbor are in them to the letter, but for the registry's name.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { harborOf } from '../api/management.ts'
import { startDocker } from '../clients/docker-daemon.ts'
import { openWorkplace, type Workplace } from '../clients/workplace.ts'
import { ADMIN_PASSWORD, type Server, startServer } from '../support/server.ts'
import { openPlace, type Place } from './place.ts'

const MINUTE = 60_000
const IMAGE = { layers: 2, layerBytes: 100_000 }

let at: Place
let clients: Workplace
let other: Server
let variables: Record<string, string>
beforeAll(async () => {
  at = await openPlace(1)
  clients = await openWorkplace()
  other = await startServer({ open: false })
  const { url, host } = at.servers[0]!
  variables = {
    ...(await startDocker(clients)),
    URL: url,
    REGISTRY: host,
    PASSWORD: ADMIN_PASSWORD,
    DOCKER_HUB: at.hub.url,
    DESTINATION: other.url,
    DESTINATION_PASSWORD: ADMIN_PASSWORD,
  }
}, 2 * MINUTE)
afterAll(async () => {
  await clients?.close()
  await at?.close()
  await other?.stop()
})

function walkThrough(file: string): string {
  const text = readFileSync(path.resolve(import.meta.dirname, '../../docs', file), 'utf8')
  return /<!-- walk-through -->\n```sh\n([\s\S]*?)```/.exec(text)![1]!
}

test(
  'a cache of Docker Hub is made and pulled through',
  async () => {
    const nginx = await at.publish('library/nginx:latest', IMAGE)
    await at.publish('bitnami/redis:latest', IMAGE)
    const block = walkThrough('proxy.md')
    for (const command of [
      'docker pull registry.example.com/dockerhub-proxy/library/nginx:latest',
      'docker pull registry.example.com/dockerhub-proxy/bitnami/redis:latest',
    ])
      expect(block.replaceAll('"', '').replaceAll('$REGISTRY', 'registry.example.com')).toContain(command)
    const said = await clients.sh(block, variables)
    expect(said.match(/Status: Downloaded newer image/g)).toHaveLength(3)
    expect(said).toContain(nginx.digest)
    // Each once, though the first is pulled under two names.
    const manifests = [...at.hub.fetched()].filter(([what]) => what.includes('/manifests/'))
    expect(manifests.map(([, count]) => count)).toEqual(manifests.map(() => 1))
    expect(manifests).toHaveLength(2)
  },
  MINUTE,
)

test(
  'a rule by event is made, and a push is at the destination after a few seconds',
  async () => {
    // The guide has its project, its image and its login already.
    const { REGISTRY } = variables
    await at.admin('POST', '/projects', { project_name: 'monprojet' })
    await at.publish('library/myapp:v1', IMAGE)
    await clients.sh(
      `docker login -u admin -p "$PASSWORD" "$REGISTRY"
    docker pull -q ${at.origin.host}/library/myapp:v1
    docker tag ${at.origin.host}/library/myapp:v1 ${REGISTRY}/monprojet/myapp:v1`,
      variables,
    )
    const said = await clients.sh(walkThrough('operations/replication.md'), variables)
    const pushed = /v1: digest: (sha256:[0-9a-f]{64})/.exec(said)![1]
    const there = harborOf(other.url, 'admin')
    const arrived = async () =>
      (await there('GET', '/projects/monprojet/repositories/myapp/artifacts/v1')).json?.digest
    await expect.poll(arrived, { timeout: MINUTE / 2 }).toBe(pushed)
    // The project was made for it, private as the one here is.
    expect((await there('GET', '/projects/monprojet')).json.metadata.public).toBe('false')
  },
  2 * MINUTE,
)
