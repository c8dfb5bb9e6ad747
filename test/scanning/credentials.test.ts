// Who is shown the credentials that trivy is given: why a scan has them in a Docker configuration file.
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { basic, numberOf } from '../api/management.ts'
import { ADMIN_PASSWORD } from '../support/server.ts'
import { THREE } from './advisories.ts'
import { openPlace, type Place } from './place.ts'
import { findingsOf, type Report, trivyCommand } from './trivy.ts'

const REPOSITORY = 'closed/three'
let at: Place
let image: string
let token: string
let stranger: HttpServer
const shown: (string | undefined)[] = []

beforeAll(async () => {
  at = await openPlace()
  numberOf(await at.admin('POST', '/projects', { project_name: 'closed' }))
  image = `${at.server.host}/${REPOSITORY}:v1`
  await at.sh(`crane copy --insecure ${(await at.publish('three')).reference} ${image}`)
  const asked = `${at.server.url}/service/token?service=harbor-registry&scope=repository:${REPOSITORY}:pull`
  const answer = await fetch(asked, { headers: { authorization: basic('admin', ADMIN_PASSWORD) } })
  token = ((await answer.json()) as { token: string }).token
  const folder = path.join(at.directory, 'short-lived')
  await mkdir(folder)
  const auths = { [at.server.host]: { registrytoken: token } }
  await writeFile(path.join(folder, 'config.json'), JSON.stringify({ auths }))
  stranger = createServer((request, response) => {
    shown.push(request.headers.authorization)
    response.writeHead(401, { 'www-authenticate': 'Basic realm="stranger"' }).end()
  })
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  stranger.close()
  await at.close()
})

const run = (credentials: string, cache: string, database?: string) =>
  at.sh(`${credentials} ${trivyCommand({ image, cache, ...(database ? { database } : {}) })}`)
const IN_FILE = 'DOCKER_CONFIG=short-lived'
const inEnvironment = () => `DOCKER_CONFIG=none TRIVY_REGISTRY_TOKEN=${token}`

test('a token that may pull one repository is enough to scan it, once the database is there', async () => {
  await at.sh(
    `trivy image --quiet --insecure --cache-dir cache --download-db-only --db-repository ${at.databaseAt}`,
  )
  for (const credentials of [IN_FILE, inEnvironment()]) {
    const report = JSON.parse(await run(credentials, 'cache')) as Report
    expect(findingsOf(report)).toHaveLength(THREE.length)
  }
  await expect(run('DOCKER_CONFIG=none', 'cache')).rejects.toThrow('DENIED')
})

test('the registry of the database is shown a token of the environment, and none of a Docker configuration file', async () => {
  const database = `127.0.0.1:${(stranger.address() as AddressInfo).port}/library/trivy-db:2`
  await expect(run(inEnvironment(), 'first', database)).rejects.toThrow('401')
  expect(shown).toContain(`Bearer ${token}`)
  shown.length = 0
  await expect(run(IN_FILE, 'second', database)).rejects.toThrow('401')
  expect(shown).not.toEqual([])
  expect(shown.filter(Boolean)).toEqual([])
})
