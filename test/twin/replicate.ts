// A rule that pulls from another registry, run by the worker.
import { setTimeout as sleep } from 'node:timers/promises'
import { UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { keys } from '../../lib/registry/keys.ts'
import { clientOf, pushImage } from '../api/client.ts'
import { startServer } from '../support/server.ts'
import { askerFor } from './everything.ts'
import { managementOf } from './management.ts'
import type { Twin } from './twin.ts'

/** @throws Error unless what was pulled is there under the digest it has at its source, and its end is noticed then */
export async function pullByRule(twin: Twin): Promise<void> {
  const other = await startServer()
  const admin = managementOf(twin, 'admin', twin.adminPassword)
  let id = 0
  try {
    const layer = 'far away '.repeat(100_000)
    const { digest } = await pushImage(clientOf(other.url), 'library/distant', 'v1', { layer })
    const made = async (path: string, body: object) =>
      Number((await admin('POST', path, 201, body)).answer.headers.get('location')!.split('/').at(-1))
    const name = `source-${Date.now().toString(36)}`
    id = await made('/registries', { name, type: 'docker-registry', url: other.url })
    const policy_id = await made('/replication/policies', {
      name,
      src_registry: { id },
      dest_namespace: 'library',
      filters: [{ type: 'name', value: 'library/distant' }],
      trigger: { type: 'manual' },
      enabled: true,
      override: true,
    })
    const run = await made('/replication/executions', { policy_id })
    let status = 'InProgress'
    for (let look = 0; look < 180 && status === 'InProgress'; look++) {
      await sleep(500)
      status = (await admin('GET', `/replication/executions/${run}`, 200)).json.status
    }
    const ask = await askerFor(twin, 'library/distant')
    const pulled = await ask('HEAD', '/v2/library/distant/manifests/v1')
    if (status !== 'Succeed' || pulled.headers.get('docker-content-digest') !== digest)
      throw new Error(`a replication: ${status}, ${pulled.status}`)
  } finally {
    await other.stop()
  }
  await lookAtRegistries(twin)
  for (let look = 0; look < 60; look++) {
    if ((await admin('GET', `/registries/${id}`, 200)).json.status === 'unhealthy') return
    await sleep(500)
  }
  throw new Error('a registry that is gone was not noticed')
}

/** The scheduled look, now. */
async function lookAtRegistries(twin: Twin): Promise<void> {
  const { pk, sk } = keys.schedule('REGISTRY_HEALTH', 0)
  await twin.cloud.stores.dynamodb.send(
    new UpdateItemCommand({
      TableName: twin.table,
      Key: { pk: { S: pk }, sk: { S: sk } },
      UpdateExpression: 'SET a.nextAtMs = :now',
      ConditionExpression: 'attribute_exists(pk)',
      ExpressionAttributeValues: { ':now': { N: '0' } },
    }),
  )
  await twin.events.invoke('Relay', { task: 'schedules' })
}
