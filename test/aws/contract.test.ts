// The contract suites of the ports, on S3 and DynamoDB.
import { afterAll, beforeAll } from 'vitest'
import { createDynamoMetadataStore } from '../../lib/aws/dynamo-metadata-store.ts'
import { createS3BlobStore } from '../../lib/aws/s3-blob-store.ts'
import { blobStoreContract } from '../contract/blob-store.ts'
import { metadataStoreContract } from '../contract/metadata-store.ts'
import { type AwsStores, startAwsStores } from '../support/aws-stores.ts'

let aws: AwsStores
let made = 0
beforeAll(async () => {
  aws = await startAwsStores()
})
afterAll(() => aws.stop())

async function fresh(): Promise<string> {
  made += 1
  const name = `contract-${made}`
  await aws.create(name)
  return name
}

metadataStoreContract('DynamoDB', async () => ({
  store: createDynamoMetadataStore(aws.dynamodb, await fresh()),
  close: async () => {},
}))
blobStoreContract('S3', async () => ({
  store: createS3BlobStore({ client: aws.s3, name: await fresh() }),
  close: async () => {},
}))
