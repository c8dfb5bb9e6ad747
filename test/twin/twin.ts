// The twin: the real CDK app deployed by the real CLI into MiniStack, blobs and items in strict servers, the synthesised
// edge, the containers' programs as processes. One URL, with TLS.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { DescribeTaskDefinitionCommand, ECSClient } from '@aws-sdk/client-ecs'
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import type { Policy } from '../support/iam.ts'
import { bucketOrigin } from './bucket-origin.ts'
import { type Certificates, makeCertificates } from './certificates.ts'
import { cdkDeployment, type Deployment } from './cli.ts'
import { ACCOUNT, type Cloud, CREDENTIALS, REGION, startCloud } from './cloud.ts'
import { readEdge, readTemplate } from './distribution.ts'
import { type Door, openAgent, openEvents, openProxy } from './doors.ts'
import { type RunningEdge, startEdge } from './edge.ts'
import { type Events, startEvents } from './events.ts'
import { startFront } from './front.ts'
import { type Gateway, startGateway } from './gateway.ts'
import type { Origin } from './origin.ts'
import { type Made, madeIn } from './stacks.ts'
import { type Balancer, type Bend, startBalancer, startTask, type Task } from './tasks.ts'

export interface TwinOptions {
  /** The `cloud` part of the configuration, besides what the twin sets. */
  cloud?: Record<string, unknown>
  /** What deploys; our own call of the CLI unless told otherwise. */
  deployment?: Deployment
  progress?: (line: string) => void
}

export interface Twin {
  /** `https://127.0.0.1:PORT` */
  url: string
  host: string
  /** File with the certificate of the authority that signed the edge's. */
  authority: string
  adminPassword: string
  bucket: string
  table: string
  cloud: Cloud
  made: Made
  deployment: Deployment
  edge: RunningEdge
  gateway: Gateway
  balancer: Balancer
  /** The bucket as the edge reaches it. */
  blobs: Origin
  certificates: Certificates
  events: Events
  /** Of the deployment's outputs. */
  outputs: Record<string, string>
  /** Another ingest task, as the service would start it. */
  addTask(): Promise<Task>
  /** For the workers that are started from now on. */
  bendWorkers(bend: Bend): void
  stop(): Promise<void>
}

const clients = (endpoint: string) => ({ endpoint, credentials: CREDENTIALS, region: REGION })

export async function startTwin(options: TwinOptions = {}): Promise<Twin> {
  const { progress = () => {} } = options
  const balanced = options.cloud?.frontDoor === 'alb'
  const directory = await mkdtemp(path.join(tmpdir(), 'entrepot-twin-'))
  const opened: (() => Promise<unknown>)[] = [() => rm(directory, { recursive: true, force: true })]
  const closing = <Closable extends { close(): Promise<void> }>(each: Closable): Closable => {
    opened.push(() => each.close())
    return each
  }
  try {
    const certificates = await makeCertificates(directory)
    const edgePort = Promise.withResolvers<number>()
    let events: Events | undefined
    const told = closing(await openEvents((key) => void events?.objectCreated(key)))
    const proxy: Door = closing(await openProxy(edgePort.promise))
    const { authority } = certificates
    // This process asks the twin too.
    setDefaultCACertificates([...getCACertificates(), await readFile(authority, 'utf8')])
    const cloud = await startCloud({ directory, eventsTo: told.url, proxy: proxy.url, certificates })
    opened.push(() => cloud.stop())
    progress('AWS is there')

    const config = path.join(directory, 'entrepot.yaml')
    await writeFile(
      config,
      JSON.stringify({
        // Other registries of the tests are on this machine.
        upstreamPrivateNetworks: '127.0.0.0/8',
        cloud: { image: 'entrepot', keep: false, ...options.cloud },
      }),
    )
    const deployment = options.deployment ?? cdkDeployment(directory, config, ACCOUNT)
    const made = madeIn(cloud.endpoint, CREDENTIALS)
    // What is outside of MiniStack follows the stacks as they are deployed.
    const deploying = deployment.run(cloud.deployEnv, progress)
    const unless = <Result>(step: Promise<Result>) => Promise.race([step, deploying.then(() => step)])
    await unless(made.deployed('data'))
    const table = await made.id('data', 'AWS::DynamoDB::Table')
    const bucket = await made.id('data', 'AWS::S3::Bucket')
    await cloud.stores.create(table, bucket)
    const stacks = ['workers', 'events', 'ingest', ...(balanced ? [] : ['api'])]
    await unless(Promise.all(stacks.map((stack) => made.deployed(stack))))
    progress('deployed up to the edge')

    events = closing(startEvents({ cloud, made, bucket, startWorker: () => startProgram('worker') }))
    const agent = closing(await openAgent(() => {}))
    let bent: Bend | undefined
    const elsewhere: Record<string, string> = {}
    const startProgram = async (program: 'ingest' | 'worker') => {
      const environment = await environmentOf(cloud, made, program)
      const overrides = { ...cloud.programEnv, ...elsewhere, ECS_AGENT_URI: agent.url }
      return startTask(program, environment, overrides, program === 'worker' ? bent : undefined)
    }
    const balancer = startBalancer()
    opened.push(() => Promise.all(balancer.tasks.map((task) => task.stop())))
    const addTask = async () => {
      const task = await startProgram('ingest')
      balancer.tasks.push(task)
      return task
    }
    const base = { cloud, made, deployment, bucket, table, balancer, certificates }
    const door = balanced ? await loadBalancer(base) : await cloudFront(base)
    closing(door.edge)
    // What docker takes for a registry of the machine's own, whatever it presents.
    const host = `127.0.0.1:${door.edge.port}`
    if (balanced) elsewhere.ENTREPOT_EXTERNAL_URL = `https://${host}`
    await addTask()
    edgePort.resolve(door.edge.port)
    progress(`the edge listens on https://${host}`)
    await deploying
    progress('deployed and probed')
    return {
      ...base,
      ...door,
      url: `https://${host}`,
      host,
      authority,
      adminPassword: await secretOf(
        cloud,
        await made.id('data', 'AWS::SecretsManager::Secret', 'AdminPassword'),
      ),
      events,
      outputs: await deployment.outputs(),
      addTask,
      bendWorkers: (bend) => {
        bent = bend
      },
      stop: () => closeAll(opened),
    }
  } catch (error) {
    await closeAll(opened)
    throw error
  }
}

type Base = Pick<Twin, 'cloud' | 'made' | 'deployment' | 'bucket' | 'balancer' | 'certificates'>
type FrontDoor = Pick<Twin, 'edge' | 'gateway' | 'blobs'>

async function cloudFront(base: Base): Promise<FrontDoor> {
  const { cloud, made, deployment, bucket, balancer, certificates } = base
  const gateway = startGateway(cloud.endpoint, await made.id('api', 'AWS::ApiGatewayV2::Api'))
  const secret = await secretOf(cloud, await made.id('data', 'AWS::SecretsManager::Secret', 'Keys'))
  const store = `arn:aws:cloudfront::${ACCOUNT}:key-value-store/${await made.id('data', 'AWS::CloudFront::KeyValueStore')}`
  const origin = { 'x-entrepot-origin': (JSON.parse(secret) as { origin: string }).origin }
  const policy = filled(policyOf(deployment.assembly), bucket)
  const blobs = bucketOrigin({
    endpoint: cloud.stores.env.AWS_ENDPOINT_URL_S3!,
    bucket,
    credentials: CREDENTIALS,
    region: REGION,
    account: ACCOUNT,
    policy: () => policy,
  })
  const edge = await startEdge({
    edge: readEdge(deployment.assembly),
    origins: { api: gateway.origin, ingest: balancer.origin, blobs, console: blobs },
    originHeaders: { api: origin, ingest: origin },
    readKey: (key) => readKey(cloud.endpoint, store, key),
    tls: certificates,
  })
  return { edge, gateway, blobs }
}

/** The tasks alone: no edge, no functions for clients, nobody but the tasks writes into the bucket. */
async function loadBalancer({ balancer, certificates }: Base): Promise<FrontDoor> {
  const none: Origin = () => Promise.reject(new Error('there is none behind a load balancer'))
  const edge = await startFront(balancer.origin, certificates)
  return { edge, gateway: { origin: none, bytesIn: 0 }, blobs: none }
}

async function closeAll(opened: (() => Promise<unknown>)[]): Promise<void> {
  for (const close of opened.splice(0).reverse()) await close()
}

/** Of the deployed task definition. */
async function environmentOf(
  cloud: Cloud,
  made: Made,
  program: 'ingest' | 'worker',
): Promise<Record<string, string>> {
  const taskDefinition = await made.id(
    program === 'ingest' ? 'ingest' : 'workers',
    'AWS::ECS::TaskDefinition',
  )
  const ecs = new ECSClient(clients(cloud.endpoint))
  const described = await ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition }))
  const [container] = described.taskDefinition!.containerDefinitions!
  return Object.fromEntries(container!.environment!.map(({ name, value }) => [name!, value!]))
}

async function secretOf(cloud: Cloud, SecretId: string): Promise<string> {
  const secrets = new SecretsManagerClient(clients(cloud.endpoint))
  return (await secrets.send(new GetSecretValueCommand({ SecretId }))).SecretString!
}

/** As the edge's own read of its store. @throws Error when there is no such key */
async function readKey(endpoint: string, store: string, key: string): Promise<string> {
  const answer = await fetch(
    `${endpoint}/key-value-stores/${encodeURIComponent(store)}/keys/${encodeURIComponent(key)}`,
  )
  if (!answer.ok) throw new Error('KeyNotFound')
  return ((await answer.json()) as { Value: string }).Value
}

function policyOf(assembly: string): Policy {
  const { Resources } = readTemplate(assembly, 'data')
  const found = Object.values(Resources).find(({ Type }) => Type === 'AWS::S3::BucketPolicy')
  return found!.Properties.PolicyDocument as Policy
}

/** The bucket's own policy names nothing but the bucket, the account and the partition. */
function filled(value: unknown, bucket: string): Policy {
  const again = (each: unknown): unknown => {
    if (Array.isArray(each)) return each.map(again)
    if (each === null || typeof each !== 'object') return each
    const [name, argument] = Object.entries(each)[0]!
    if (name === 'Fn::GetAtt') return `arn:aws:s3:::${bucket}`
    if (name === 'Ref') return argument === 'AWS::AccountId' ? ACCOUNT : 'aws'
    if (name === 'Fn::Join') return (argument as [string, unknown[]])[1].map(again).join('')
    return Object.fromEntries(Object.entries(each).map(([key, inner]) => [key, again(inner)]))
  }
  return again(value) as Policy
}
