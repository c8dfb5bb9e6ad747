// Other registries: what uses one keeps it, and nothing happens in between.
import { beforeEach, expect, test } from 'vitest'
import { createRegistry, deleteRegistry, endOfUse, useOfRegistry } from '../../lib/registries/registries.ts'
import type { RemoteRegistry } from '../../lib/registries/remote-registry.ts'
import { Upstreams } from '../../lib/registries/upstreams.ts'
import { testUpstreams } from '../support/upstreams.ts'
import { type TestRegistry, testRegistry } from './registry.ts'

/** Every registry answers: this is about what is kept of them. */
class Reachable extends Upstreams {
  override async ping(): Promise<undefined> {
    return undefined
  }
}

let registry: TestRegistry
let remote: RemoteRegistry
beforeEach(async () => {
  registry = await testRegistry()
  const { keys, guard } = await testUpstreams()
  remote = await createRegistry(registry, new Reachable({ keys, guard }), {
    name: 'hub',
    description: '',
    type: 'docker-hub',
    url: 'https://hub.docker.com',
    insecure: false,
    caCertificate: '',
    credentialType: '',
    accessKey: '',
    accessSecret: '',
  })
})

test('the URL that people know Docker Hub by is kept as it was written', () => {
  expect(remote.url).toBe('https://hub.docker.com')
})

test.each([
  ['project:7', /referenced by proxy cache project/],
  ['replication:1', /referenced by replication policies/],
])('a registry that %s uses is not deleted, until it does so no more', async (user, why) => {
  const { writes } = await useOfRegistry(registry, remote.id, user)
  expect((await registry.metadata.transact(writes)).ok).toBe(true)
  await expect(deleteRegistry(registry, remote.id)).rejects.toMatchObject({
    code: 'PRECONDITION',
    message: expect.stringMatching(why),
  })
  await registry.metadata.transact([endOfUse(remote.id, user)])
  await deleteRegistry(registry, remote.id)
})

test('of a use and a deletion at the same moment one is refused', async () => {
  const begun = await useOfRegistry(registry, remote.id, 'project:7')
  await deleteRegistry(registry, remote.id)
  expect((await registry.metadata.transact(begun.writes)).ok).toBe(false)
  await expect(useOfRegistry(registry, remote.id, 'project:7')).rejects.toMatchObject({ code: 'NOT_FOUND' })
})
