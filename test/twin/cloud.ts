// AWS on this machine: MiniStack for everything but blobs and items, strict servers for those, a witness before each.
import { realpathSync } from 'node:fs'
import { mkdir, mkdtemp } from 'node:fs/promises'
import path from 'node:path'
import {
  type AwsStores,
  freePort,
  listening,
  runGuarded,
  startAwsStores,
  stopGuarded,
} from '../support/aws-stores.ts'
import { findTool } from '../tools.ts'
import type { Certificates } from './certificates.ts'
import { STAND_INS } from './stand-ins.ts'
import { startWitness, type Witness } from './witness.ts'

export const ACCOUNT = '111122223333'
export const REGION = 'us-east-1'
/** MiniStack gives its functions the account's number as their access key. */
export const CREDENTIALS = { accessKeyId: ACCOUNT, secretAccessKey: 'twin-secret' }

export interface Cloud {
  /** MiniStack, past the witness: for the CLI and the twin itself. */
  endpoint: string
  stores: AwsStores
  witnesses: { s3: Witness; dynamodb: Witness; services: Witness }
  /** For the CLI. */
  deployEnv: Record<string, string>
  /** For programs: as on AWS, but for where the services are. */
  programEnv: Record<string, string>
  /** Of MiniStack, whose children are the functions. */
  pid: number
  stop(): Promise<void>
}

export interface CloudOptions {
  directory: string
  /** Told of new objects. */
  eventsTo: string
  /** Leads to the edge. */
  proxy: string
  certificates: Certificates
}

export async function startCloud({ directory, eventsTo, proxy, certificates }: CloudOptions): Promise<Cloud> {
  const stores = await startAwsStores({ eventsTo, credentials: CREDENTIALS })
  const port = await freePort()
  const endpoint = `http://127.0.0.1:${port}`
  const witnesses = {
    s3: await startWitness(stores.env.AWS_ENDPOINT_URL_S3!, ACCOUNT, certificates),
    dynamodb: await startWitness(stores.env.AWS_ENDPOINT_URL_DYNAMODB!, ACCOUNT),
    services: await startWitness(endpoint, ACCOUNT),
  }
  const servicesPort = new URL(witnesses.services.url).port
  const programEnv = {
    AWS_ENDPOINT_URL: witnesses.services.url,
    AWS_ENDPOINT_URL_S3: witnesses.s3.url,
    AWS_ENDPOINT_URL_DYNAMODB: witnesses.dynamodb.url,
    // Its client puts the account before the host.
    AWS_ENDPOINT_URL_CLOUDFRONT_KEYVALUESTORE: `http://localhost:${servicesPort}`,
    AWS_REGION: REGION,
    AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
    AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    NODE_EXTRA_CA_CERTS: certificates.authority,
  }
  const home = await mkdtemp(path.join(directory, 'ministack-'))
  await mkdir(path.join(home, 's3'))
  const python = path.join(path.dirname(realpathSync(findTool('ministack')!)), 'python')
  const ministack = runGuarded(directory, python, [path.join(import.meta.dirname, 'stand_ins.py')], {
    ...programEnv,
    PATH: `${path.dirname(process.execPath)}:${process.env.PATH}`,
    STAND_INS: Object.keys(STAND_INS).join(','),
    QUEUE_PORT: servicesPort,
    BIND_HOST: '127.0.0.1',
    GATEWAY_PORT: String(port),
    MINISTACK_ACCOUNT_ID: ACCOUNT,
    IOT_MTLS_ENABLED: '0',
    TMPDIR: home,
    S3_DATA_DIR: path.join(home, 's3'),
    // What functions inherit.
    NODE_OPTIONS: `--import ${path.join(import.meta.dirname, 'names.mjs')}`,
    NODE_USE_ENV_PROXY: '1',
    HTTPS_PROXY: proxy,
    NO_PROXY: 'localhost,127.0.0.1,.localhost',
  })
  await listening(port)
  return {
    endpoint,
    stores,
    witnesses,
    deployEnv: {
      AWS_ENDPOINT_URL: endpoint,
      AWS_REGION: REGION,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    },
    programEnv,
    pid: ministack.pid!,
    stop: async () => {
      for (const witness of Object.values(witnesses)) await witness.close()
      await stopGuarded(ministack)
      await stores.stop()
    },
  }
}
