// A registry before and after a crowd moved in.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { createDynamoMetadataStore, type DynamoMetadataStore } from '../../lib/aws/dynamo-metadata-store.ts'
import { clientOf } from '../api/client.ts'
import { type Server, startServer, storesEnvironment } from '../support/server.ts'
import { type StoreProxy, startStoreProxy } from '../support/store-proxy.ts'
import { type Crowd, generate, repositoryName, tagName } from './crowd.ts'
import { type Everyday, measureEveryday } from './everyday.ts'

export interface Town {
  server: Server
  proxies: StoreProxy[]
  store: DynamoMetadataStore
  dataDir: string
  close(): Promise<void>
}

export async function openTown(): Promise<Town> {
  process.env.TEST_STORES = 'aws'
  const dataDir = await mkdtemp(path.join(tmpdir(), 'entrepot-scale-'))
  const direct = await storesEnvironment(dataDir)
  const proxies = [
    await startStoreProxy('s3', direct.AWS_ENDPOINT_URL_S3!),
    await startStoreProxy('dynamodb', direct.AWS_ENDPOINT_URL_DYNAMODB!),
  ]
  const server = await startServer({
    dataDir,
    env: {
      AWS_ENDPOINT_URL_S3: proxies[0]!.url,
      AWS_ENDPOINT_URL_DYNAMODB: proxies[1]!.url,
      ENTREPOT_BACKGROUND: 'off',
    },
  })
  const client = new DynamoDBClient({
    endpoint: direct.AWS_ENDPOINT_URL_DYNAMODB!,
    region: direct.AWS_REGION!,
    credentials: { accessKeyId: direct.AWS_ACCESS_KEY_ID!, secretAccessKey: direct.AWS_SECRET_ACCESS_KEY! },
  })
  return {
    server,
    proxies,
    store: createDynamoMetadataStore(client, direct.ENTREPOT_TABLE!),
    dataDir,
    close: async () => {
      client.destroy()
      await server.stop()
      for (const proxy of proxies) await proxy.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

export interface BeforeAndAfter {
  items: number
  generatedSeconds: number
  empty: Everyday[]
  full: Everyday[]
}

/** The same operations in a registry with one small repository, and in one with the whole crowd. */
export async function beforeAndAfter(town: Town, crowd: Crowd): Promise<BeforeAndAfter> {
  const http = clientOf(town.server.url)
  const small: Crowd = { project: crowd.project, repositories: 1, manifestsEach: 200 }
  await generate(town.store, small)
  const empty = await measureEveryday(http, town.proxies, repositoryName(small, 0), tagName(10))
  const startedAt = performance.now()
  const rest = { ...crowd, project: crowd.project }
  const items = await generate(town.store, rest)
  const generatedSeconds = (performance.now() - startedAt) / 1000
  const middle = Math.floor(crowd.repositories / 2)
  const tag = tagName(Math.floor(crowd.manifestsEach / 2))
  const full = await measureEveryday(http, town.proxies, repositoryName(crowd, middle), tag)
  return { items, generatedSeconds, empty, full }
}
