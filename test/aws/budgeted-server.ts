// A registry on S3 and DynamoDB with a counting proxy before each, and nothing running beside the requests.
import path from 'node:path'
import { S3Client } from '@aws-sdk/client-s3'
import { startServer, storesEnvironment } from '../support/server.ts'
import { startStoreProxy } from '../support/store-proxy.ts'
import type { Budgeted } from './call-budgets.ts'

export interface OpenBudgeted extends Budgeted {
  close(): Promise<void>
}

/** @param env more settings of the registry's */
export async function openBudgeted(dataDir: string, env: Record<string, string> = {}): Promise<OpenBudgeted> {
  process.env.TEST_STORES = 'aws'
  const direct = await storesEnvironment(dataDir)
  const s3 = await startStoreProxy('s3', direct.AWS_ENDPOINT_URL_S3!)
  const dynamodb = await startStoreProxy('dynamodb', direct.AWS_ENDPOINT_URL_DYNAMODB!)
  const server = await startServer({
    dataDir,
    open: false,
    env: {
      AWS_ENDPOINT_URL_S3: s3.url,
      AWS_ENDPOINT_URL_DYNAMODB: dynamodb.url,
      ENTREPOT_SWEEP_EVERY_HOURS: '0',
      ENTREPOT_BACKGROUND: 'off',
      ...env,
    },
    ...(process.env.SABOTAGE === 'calls' ? { preload: [path.join(import.meta.dirname, 'chatty.ts')] } : {}),
  })
  const client = new S3Client({
    endpoint: direct.AWS_ENDPOINT_URL_S3!,
    region: direct.AWS_REGION!,
    forcePathStyle: true,
    credentials: { accessKeyId: direct.AWS_ACCESS_KEY_ID!, secretAccessKey: direct.AWS_SECRET_ACCESS_KEY! },
  })
  return {
    server,
    s3,
    dynamodb,
    direct: { client, bucket: direct.ENTREPOT_BUCKET! },
    close: async () => {
      client.destroy()
      await server.stop()
      await s3.close()
      await dynamodb.close()
    },
  }
}
