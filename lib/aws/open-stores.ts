// The stores of the cloud, opened: one table, one bucket, one secret.
import { readFile } from 'node:fs/promises'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { S3Client } from '@aws-sdk/client-s3'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import type { IdentityProvider } from '../access/identity-providers.ts'
import { parseSecrets, REFRESH_EVERY_MS, Secrets } from '../access/secret-keys.ts'
import { type CloudStoresConfig, settingsOf } from '../config/registry-settings.ts'
import { prepareStore } from '../registry/prepare.ts'
import { newId, type Registry } from '../registry/registry.ts'
import type { OpenStores } from '../server/open-stores.ts'
import { StartupError } from '../server/startup-error.ts'
import { cognitoProvider } from './cognito.ts'
import { createDynamoMetadataStore } from './dynamo-metadata-store.ts'
import { ecrAuthorization } from './ecr-authorization.ts'
import { recoverObjects } from './recover-objects.ts'
import { createS3BlobStore } from './s3-blob-store.ts'
import { type SecretsSource, secretsInManager } from './secrets-manager.ts'

/** Three tries of the SDK's own is too few for a burst of SlowDown; more would outlast a client's patience. */
const ATTEMPTS = 6
const CONNECT_MS = 2000
const ANSWER_MS = 10_000
/** A part of 64 MiB takes its time. */
const S3_ANSWER_MS = 120_000
const CONNECTIONS = 256

export interface OpenRegistry {
  registry: Registry
  events: { onEvent(): void }
  s3: S3Client
  close(): void
}

/** The registry on its stores, without keys: for programs that answer no clients. Nothing is fetched. */
export function openRegistry(config: CloudStoresConfig): OpenRegistry {
  const dynamodb = new DynamoDBClient({ maxAttempts: ATTEMPTS, requestHandler: handler(ANSWER_MS) })
  const s3 = createS3Client()
  const events = { onEvent: () => {} }
  const registry: Registry = {
    metadata: createDynamoMetadataStore(dynamodb, config.table!),
    blobs: createS3BlobStore({ client: s3, name: config.bucket! }),
    clock: { nowMs: Date.now },
    settings: settingsOf(config),
    newId,
    onEvent: () => events.onEvent(),
  }
  const close = () => {
    dynamodb.destroy()
    s3.destroy()
  }
  return { registry, events, s3, close }
}

/**
 * @param options `prepared`: somebody else has made the store one of ours, so nothing is read but the keys
 * @throws StartupError when a store cannot be reached or was written by a newer program
 */
export async function openAwsStores(
  config: CloudStoresConfig,
  options: { prepared?: boolean } = {},
): Promise<OpenStores> {
  const { registry, events, s3, close } = openRegistry(config)
  try {
    if (!options.prepared) await prepareStore(registry)
    const source = secretsAt(config.secrets!)
    const secrets = new Secrets(await source.read(), registry.clock)
    const refresh = setInterval(() => {
      source.read().then(
        (document) => secrets.replace(document),
        () => {}, // the old keys go on; the next reading may succeed
      )
    }, REFRESH_EVERY_MS)
    refresh.unref()
    return {
      registry,
      secrets,
      ecr: ecrAuthorization,
      events,
      providers: providersOf(config),
      recoverObjects: () => recoverObjects(registry, { client: s3, name: config.bucket! }),
      rotateKeys: async () => secrets.replace(await source.rotate()),
      close: async () => {
        clearInterval(refresh)
        close()
      },
    }
  } catch (error) {
    close()
    throw explained(config, error as Error)
  }
}

/** Nothing is fetched before somebody logs in. */
export function providersOf({ cognitoPool, cognitoClient }: CloudStoresConfig): IdentityProvider[] {
  return cognitoPool && cognitoClient ? [cognitoProvider(cognitoPool, cognitoClient)] : []
}

function explained(config: CloudStoresConfig, error: Error): StartupError {
  if (error instanceof StartupError) return error
  const { name, message } = error.cause instanceof Error ? error.cause : error
  const what = `table ${config.table}, bucket ${config.bucket}`
  return new StartupError('data', `cannot use ${what}: ${name}: ${message}`, error)
}

/** An endpoint of one's own knows no bucket host names. */
export function createS3Client(): S3Client {
  const own = process.env.AWS_ENDPOINT_URL_S3 ?? process.env.AWS_ENDPOINT_URL
  return new S3Client({
    maxAttempts: ATTEMPTS,
    requestHandler: handler(S3_ANSWER_MS),
    forcePathStyle: own !== undefined,
    // The payload's SHA-256 is in every signature already; a second checksum of each part would buy nothing.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
}

function handler(requestTimeout: number): NodeHttpHandler {
  const agent = { keepAlive: true, maxSockets: CONNECTIONS }
  return new NodeHttpHandler({
    connectionTimeout: CONNECT_MS,
    requestTimeout,
    throwOnRequestTimeout: true,
    httpAgent: agent,
    httpsAgent: agent,
  })
}

/** A secret's ARN or name, or, on a machine without the service, a file. */
function secretsAt(where: string): SecretsSource {
  if (!where.startsWith('file:'))
    return secretsInManager(new SecretsManagerClient({ maxAttempts: ATTEMPTS }), where)
  const read = async () => parseSecrets(await readFile(where.slice('file:'.length), 'utf8'))
  return { read, rotate: () => Promise.reject(new Error('keys in a file are rotated by replacing the file')) }
}
