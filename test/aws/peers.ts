// The same push and pull against other registries that keep their blobs in S3, counted on the wire.
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { makeImage } from '../clients/image.ts'
import { type AwsStores, freePort, listening, startAwsStores } from '../support/aws-stores.ts'
import { type StoreProxy, startStoreProxy } from '../support/store-proxy.ts'
import { findTool, toolPath } from '../tools.ts'
import { openBudgeted } from './budgeted-server.ts'

const run = promisify(execFile)

export interface PeerCalls {
  registry: string
  layers: number
  push: { s3: number; dynamodb: number }
  again: { s3: number; dynamodb: number }
  pull: { s3: number; dynamodb: number }
}

interface Contestant {
  host: string
  s3: StoreProxy
  dynamodb?: StoreProxy
  credentials?: string
  stop(): Promise<void>
}

/** @param layers of the image that is pushed */
export async function comparePeers(layers: number): Promise<PeerCalls[]> {
  const directory = await mkdtemp(path.join(tmpdir(), 'entrepot-peers-'))
  const image = await makeImage(path.join(directory, 'image'), { layers, layerBytes: 100_000 })
  // Another one for the first push, so that nothing of the image can be mounted.
  const other = await makeImage(path.join(directory, 'other'), { layers: 1, layerBytes: 100_000 })
  const rows: PeerCalls[] = []
  for (const [registry, open] of Object.entries(contestants(directory))) {
    const contestant = await open()
    if (!contestant) continue
    const counted = async (from: string, to: string) => {
      const before = countsOf(contestant)
      const login = contestant.credentials ? ` --src-creds ${contestant.credentials}` : ''
      const side = (flag: string, reference: string) =>
        reference.startsWith('docker:')
          ? `--${flag}-tls-verify=false${login ? login.replace('src', flag) : ''}`
          : ''
      const command = `skopeo copy -q ${side('src', from)} ${side('dest', to)} ${from} ${to}`
      await run('bash', ['-c', command], { env: { ...process.env, PATH: toolPath, HOME: directory } })
      const after = countsOf(contestant)
      return { s3: after.s3 - before.s3, dynamodb: after.dynamodb - before.dynamodb }
    }
    const reference = (tag: string) => `docker://${contestant.host}/library/app:${tag}`
    await counted(`oci:${other.layout}:v1`, `docker://${contestant.host}/library/app:warm`)
    const push = await counted(`oci:${image.layout}:v1`, reference('v1'))
    const again = await counted(`oci:${image.layout}:v1`, reference('v2'))
    const pull = await counted(reference('v1'), `oci:${path.join(directory, `pulled-${registry.length}`)}:v1`)
    rows.push({ registry, layers, push, again, pull })
    await contestant.stop()
  }
  await rm(directory, { recursive: true, force: true })
  return rows
}

function countsOf({ s3, dynamodb }: Contestant): { s3: number; dynamodb: number } {
  return { s3: s3.calls.length, dynamodb: dynamodb?.calls.length ?? 0 }
}

function contestants(directory: string): Record<string, () => Promise<Contestant | undefined>> {
  return {
    Entrepôt: async () => {
      const open = await openBudgeted(await mkdtemp(path.join(directory, 'data-')))
      const credentials = `admin:${open.server.adminPassword}`
      return { host: open.server.host, s3: open.s3, dynamodb: open.dynamodb, credentials, stop: open.close }
    },
    'docker-registry 2.8.2, S3 driver': () => startDockerRegistry(directory),
    'zot 2.1.9, S3 and DynamoDB': () => startZot(directory),
  }
}

async function startDockerRegistry(directory: string): Promise<Contestant | undefined> {
  if (!findTool('docker-registry')) return undefined
  const { aws, s3, port } = await stores('peer-registry')
  const config = path.join(directory, 'registry.yml')
  await writeFile(
    config,
    JSON.stringify({
      version: 0.1,
      log: { level: 'error', accesslog: { disabled: true } },
      storage: {
        cache: { blobdescriptor: 'inmemory' },
        delete: { enabled: true },
        s3: {
          ...s3Settings(aws),
          regionendpoint: s3.url,
          bucket: 'peer-registry',
          rootdirectory: '/registry',
        },
      },
      http: { addr: `127.0.0.1:${port}` },
    }),
  )
  const child = started('docker-registry', ['serve', config])
  await listening(port)
  return { host: `127.0.0.1:${port}`, s3, stop: () => ended(child, aws, [s3]) }
}

async function startZot(directory: string): Promise<Contestant | undefined> {
  if (!findTool('zot')) return undefined
  const { aws, s3, dynamodb, port } = await stores('peer-zot')
  const config = path.join(directory, 'zot.json')
  await writeFile(
    config,
    JSON.stringify({
      distSpecVersion: '1.1.1',
      storage: {
        rootDirectory: path.join(directory, 'zot'),
        dedupe: true,
        gc: false,
        remoteCache: true,
        storageDriver: {
          name: 's3',
          ...s3Settings(aws),
          rootdirectory: '/zot',
          regionendpoint: s3.url,
          bucket: 'peer-zot',
          forcepathstyle: true,
          skipverify: true,
        },
        cacheDriver: {
          name: 'dynamodb',
          endpoint: dynamodb.url,
          region: 'us-east-1',
          cacheTablename: 'ZotBlobTable',
          repoMetaTablename: 'ZotRepoMetadataTable',
          imageMetaTablename: 'ZotImageMetaTable',
          repoBlobsInfoTablename: 'ZotRepoBlobsInfoTable',
          userDataTablename: 'ZotUserDataTable',
          apiKeyTablename: 'ZotApiKeyTable',
          versionTablename: 'ZotVersion',
        },
      },
      http: { address: '127.0.0.1', port: String(port) },
      log: { level: 'error', output: path.join(directory, 'zot.log') },
    }),
  )
  const child = started('zot', ['serve', config], aws.env)
  await listening(port)
  return { host: `127.0.0.1:${port}`, s3, dynamodb, stop: () => ended(child, aws, [s3, dynamodb]) }
}

async function stores(bucket: string) {
  const aws = await startAwsStores()
  await aws.create(bucket)
  return {
    aws,
    s3: await startStoreProxy('s3', aws.env.AWS_ENDPOINT_URL_S3!),
    dynamodb: await startStoreProxy('dynamodb', aws.env.AWS_ENDPOINT_URL_DYNAMODB!),
    port: await freePort(),
  }
}

function s3Settings({ env }: AwsStores) {
  return {
    accesskey: env.AWS_ACCESS_KEY_ID,
    secretkey: env.AWS_SECRET_ACCESS_KEY,
    region: env.AWS_REGION,
    secure: false,
  }
}

function started(program: string, args: string[], env: Record<string, string> = {}): ChildProcess {
  const { AWS_CA_BUNDLE: _, ...rest } = process.env // docker-registry cannot start with it
  return spawn(findTool(program)!, args, { stdio: 'ignore', env: { ...rest, ...env } })
}

async function ended(child: ChildProcess, aws: AwsStores, proxies: StoreProxy[]): Promise<void> {
  const exit = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGKILL')
  await exit
  for (const proxy of proxies) await proxy.close()
  await aws.stop()
}
