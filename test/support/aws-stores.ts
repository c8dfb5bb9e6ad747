// A strict S3 server and a DynamoDB emulator as processes of the test's own, on free loopback ports.
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createConnection, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CreateTableCommand, DynamoDBClient, UpdateTimeToLiveCommand } from '@aws-sdk/client-dynamodb'
import { CreateBucketCommand, PutBucketVersioningCommand, S3Client } from '@aws-sdk/client-s3'
import { BUCKET } from '../../lib/aws/bucket.ts'
import { createTableInput, TABLE } from '../../lib/aws/table.ts'
import { findTool } from '../tools.ts'

const CREDENTIALS = { accessKeyId: 'entrepot-test', secretAccessKey: 'entrepot-test-secret' }
const REGION = 'us-east-1'
const READY_LIMIT_MS = 20_000

export interface AwsStores {
  s3: S3Client
  dynamodb: DynamoDBClient
  /** As a program that uses the stores needs it. */
  env: Record<string, string>
  /** Every request the S3 server answered, as it logged them itself. */
  accessLog: string
  directory: string
  /** A table and a bucket, fresh; of the same name unless told otherwise. */
  create(table: string, bucket?: string): Promise<void>
  stop(): Promise<void>
}

export interface StoreOptions {
  /** URL that the S3 server tells of new objects. */
  eventsTo?: string
  /** Those of the S3 server's only user. */
  credentials?: { accessKeyId: string; secretAccessKey: string }
}

/** Gone with this process at the latest, however it ends. */
export async function startAwsStores(options: StoreOptions = {}): Promise<AwsStores> {
  const { eventsTo, credentials = CREDENTIALS } = options
  const directory = await mkdtemp(path.join(tmpdir(), 'entrepot-aws-'))
  const [objects, versions] = [path.join(directory, 'objects'), path.join(directory, 'versions')]
  await mkdir(objects)
  await mkdir(versions)
  const accessLog = path.join(directory, 'access.log')
  const [s3Port, dynamoPort] = [await freePort(), await freePort()]
  const versitygw = [
    '--port',
    `127.0.0.1:${s3Port}`,
    '--access',
    credentials.accessKeyId,
    '--secret',
    credentials.secretAccessKey,
    '--keep-alive',
    '--quiet',
    '--access-log',
    accessLog,
    ...(eventsTo === undefined ? [] : ['--event-webhook-url', eventsTo]),
    'posix',
    '--versioning-dir',
    versions,
    objects,
  ]
  const processes = [
    runGuarded(directory, 'versitygw', versitygw),
    runGuarded(directory, 'dynoxide', ['serve', '--port', String(dynamoPort), '--log', 'quiet']),
  ]
  await Promise.all([listening(s3Port), listening(dynamoPort)])
  const env = {
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_REGION: REGION,
    AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${s3Port}`,
    AWS_ENDPOINT_URL_DYNAMODB: `http://127.0.0.1:${dynamoPort}`,
  }
  const common = { region: REGION, credentials }
  const s3 = new S3Client({ ...common, endpoint: env.AWS_ENDPOINT_URL_S3, forcePathStyle: true })
  const dynamodb = new DynamoDBClient({ ...common, endpoint: env.AWS_ENDPOINT_URL_DYNAMODB })
  return {
    s3,
    dynamodb,
    env,
    accessLog,
    directory,
    create: async (name, bucket = name) => {
      // The emulator slows down with every record of a stream, and nothing reads one here.
      const { StreamSpecification: _, ...table } = createTableInput(name)
      await dynamodb.send(new CreateTableCommand(table))
      await dynamodb.send(
        new UpdateTimeToLiveCommand({
          TableName: name,
          TimeToLiveSpecification: { AttributeName: TABLE.expiry, Enabled: true },
        }),
      )
      await s3.send(new CreateBucketCommand({ Bucket: bucket }))
      const Status = BUCKET.versioned ? 'Enabled' : 'Suspended'
      await s3.send(new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status } }))
    },
    stop: async () => {
      s3.destroy()
      dynamodb.destroy()
      for (const child of processes) await stopGuarded(child)
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** A pipe from this process closes when it ends, even by a signal: then the program goes, and what it stored. */
export function runGuarded(
  directory: string,
  program: string,
  args: string[],
  env: Record<string, string> = {},
): ChildProcess {
  const guarded = 'd=$1; shift; "$@" & p=$!; cat >/dev/null; kill -9 $p; wait $p; rm -rf "$d"'
  const file = path.isAbsolute(program) ? program : findTool(program)!
  const output = openSync(path.join(directory, `${path.basename(file)}.log`), 'a')
  const child = spawn('sh', ['-c', guarded, 'sh', directory, file, ...args], {
    stdio: ['pipe', output, output],
    detached: true,
    env: { ...process.env, ...env },
  })
  closeSync(output)
  // It is no reason for this process to go on.
  child.unref()
  ;(child.stdin as unknown as { unref(): void }).unref()
  return child
}

export async function stopGuarded(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.stdin!.end()
  await ended
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

export async function listening(port: number): Promise<void> {
  const deadline = Date.now() + READY_LIMIT_MS
  while (Date.now() < deadline) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = createConnection(port, '127.0.0.1')
      socket.once('connect', () => {
        socket.destroy()
        resolve(true)
      })
      socket.once('error', () => resolve(false))
    })
    if (open) return
    await sleep(10)
  }
  throw new Error(`nothing listens on port ${port} after ${READY_LIMIT_MS / 1000} s`)
}
