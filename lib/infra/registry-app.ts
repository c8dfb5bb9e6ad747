// The whole deployment: which stacks there are, and what each is told.
import path from 'node:path'
import { type App, CfnOutput, type Environment, type Stack, Tags } from 'aws-cdk-lib'
import { Platform } from 'aws-cdk-lib/aws-ecr-assets'
import { ContainerImage } from 'aws-cdk-lib/aws-ecs'
import type { CloudConfig } from '../config/cloud.ts'
import type { Config } from '../config/schema.ts'
import { readAuthorities, TRUST_ENVIRONMENT } from './constructs/trust-layer.ts'
import { ApiStack } from './stacks/api.ts'
import { DataStack } from './stacks/data.ts'
import { EdgeStack } from './stacks/edge.ts'
import { EventsStack } from './stacks/events.ts'
import { IdentityStack, type Pool } from './stacks/identity.ts'
import { IngestStack } from './stacks/ingest.ts'
import { NetworkStack } from './stacks/network.ts'
import { ObservabilityStack } from './stacks/observability.ts'
import { WorkersStack } from './stacks/workers.ts'

const root = path.resolve(import.meta.dirname, '../..')

export interface RegistryStacks {
  data: DataStack
  network: NetworkStack
  workers: WorkersStack
  events: EventsStack
  ingest: IngestStack | undefined
  api: ApiStack | undefined
  edge: EdgeStack | undefined
  observability: ObservabilityStack
  identity: IdentityStack | undefined
}

export function buildRegistry(
  app: App,
  config: Config,
  cloud: CloudConfig,
  env: Environment,
): RegistryStacks {
  const id = (name: string) => `${cloud.name}-${name}`
  const stack = (name: string) => ({ env, stackName: id(name), terminationProtection: cloud.keep })
  const data = new DataStack(app, id('data'), cloud, stack('data'))
  const network = new NetworkStack(app, id('network'), cloud, stack('network'))
  const identity =
    cloud.cognito === 'off' || cloud.cognito.pool !== undefined
      ? undefined
      : new IdentityStack(app, id('identity'), cloud, stack('identity'))
  const pool = identity?.pool ?? namedPool(data, cloud)
  const environment = {
    ...environmentOf(config, cloud, data),
    ...(pool ? { ENTREPOT_COGNITO_POOL: pool.id, ENTREPOT_COGNITO_CLIENT: pool.client } : {}),
  }
  const pem = cloud.trust === undefined ? undefined : readAuthorities(cloud.trust)
  const tasks = {
    data,
    network,
    image: imageOf(cloud),
    environment: { ...environment, ...(pem === undefined ? {} : { ENTREPOT_TRUST: pem }) },
  }
  const functions = {
    data,
    environment: { ...environment, ...(pem === undefined ? {} : TRUST_ENVIRONMENT) },
    pem,
  }
  const workers = new WorkersStack(app, id('workers'), cloud, {
    ...stack('workers'),
    ...tasks,
    environment: { ...tasks.environment, ...scannerEnvironment(config, cloud) },
  })
  const events = new EventsStack(app, id('events'), cloud, { ...stack('events'), ...functions, workers })
  const ingest =
    cloud.ingest === 'off'
      ? undefined
      : new IngestStack(app, id('ingest'), cloud, { ...stack('ingest'), ...tasks, workers, pool })
  const api =
    cloud.frontDoor === 'cloudfront'
      ? new ApiStack(app, id('api'), cloud, { ...stack('api'), ...functions, workers, pool })
      : undefined
  const edge = api && new EdgeStack(app, id('edge'), cloud, { ...stack('edge'), ...functions, api, ingest })
  // Nobody but the setup makes keys, so nobody else needs the right to.
  for (const each of [ingest, edge]) each?.addStackDependency(events)
  const observability = new ObservabilityStack(app, id('observability'), cloud, {
    ...stack('observability'),
    data,
    api,
    events,
    ingest,
    workers,
  })
  tell(cloud, { data, events, edge, ingest })
  Tags.of(app).add('entrepot', cloud.name)
  return { data, network, workers, events, ingest, api, edge, observability, identity }
}

/** A pool that somebody else keeps. */
function namedPool(stack: Stack, { cognito }: CloudConfig): Pool | undefined {
  if (cognito === 'off' || cognito.pool === undefined) return undefined
  const arn = stack.formatArn({ service: 'cognito-idp', resource: 'userpool', resourceName: cognito.pool })
  return { id: cognito.pool, arn, client: cognito.client! }
}

/** What whoever deployed wants to know next. */
function tell(
  cloud: CloudConfig,
  { data, events, edge, ingest }: Pick<RegistryStacks, 'data' | 'events' | 'edge' | 'ingest'>,
): void {
  const output = (stack: Stack, name: string, value: string, description: string) =>
    // Some are called like what they name, and two constructs of one name cannot be.
    new CfnOutput(stack, `${name}Output`, { value, description }).overrideLogicalId(name)
  const door = edge ?? ingest!
  output(door, 'Url', edge ? edge.url : `https://${cloud.domain!.name}`, 'Where clients log in')
  output(
    data,
    'AdminPasswordCommand',
    `aws secretsmanager get-secret-value --secret-id ${data.adminPassword.secretArn} --query SecretString --output text`,
    'How to read the password of user admin',
  )
  output(data, 'Table', data.table.tableName, 'ENTREPOT_TABLE of commands')
  output(data, 'Bucket', data.bucket.bucketName, 'ENTREPOT_BUCKET of commands')
  output(events, 'EventBus', events.bus.eventBusName, 'The bus that rules on pushes and deletions belong to')
  output(
    events,
    'SetupFunction',
    events.setup.functionName,
    'Invoke with {"task":"password"} to apply the secret’s password, with {"task":"rotate"} for new keys',
  )
  if (ingest)
    output(ingest, 'BalancerName', ingest.balancer.loadBalancerDnsName, 'Where the load balancer is reached')
  if (!edge) return
  output(
    edge,
    'DistributionName',
    edge.distribution.attrDomainName,
    'CloudFront’s own name, for DNS records of another',
  )
  output(
    edge,
    'ProbeFunction',
    edge.probeFunction.functionName,
    'Invoke with {"task":"probe"} to look again and switch direct uploads by what is seen',
  )
  output(
    edge,
    'DirectUploads',
    edge.probed.getAttString('Direct'),
    'on: whole blobs go straight into S3; off: through the ingest tasks',
  )
  output(
    edge,
    'DirectClients',
    edge.probed.getAttString('Clients'),
    'Clients whose blobs go straight into S3; the others stream through the ingest tasks',
  )
  output(
    edge,
    'ProbeFailed',
    edge.probed.getAttString('Failed'),
    'Checks of the front door that failed; entrepot doctor runs them any time',
  )
}

/** What every program of the registry is told, by the names its configuration has everywhere. */
function environmentOf(config: Config, cloud: CloudConfig, data: DataStack): Record<string, string> {
  return {
    ENTREPOT_STORES: 'aws',
    ENTREPOT_TABLE: data.table.tableName,
    ENTREPOT_BUCKET: data.bucket.bucketName,
    ENTREPOT_SECRETS: data.keys.secretArn,
    ENTREPOT_UNDO_WINDOW_DAYS: String(config.undoWindowDays),
    ENTREPOT_PUSH_GRACE_HOURS: String(config.pushGraceHours),
    ENTREPOT_BLOB_LIMIT_GIB: String(config.blobLimitGiB),
    ENTREPOT_AUDIT_LOG_DAYS: String(config.auditLogDays),
    ENTREPOT_DIRECT_UPLOADS: cloud.frontDoor === 'cloudfront' ? cloud.directUploads : 'off',
    ENTREPOT_BACKGROUND: 'off',
    ENTREPOT_INGEST: cloud.ingest === 'off' ? 'off' : 'on',
    ...(config.upstreamPrivateNetworks === ''
      ? {}
      : { ENTREPOT_UPSTREAM_PRIVATE_NETWORKS: config.upstreamPrivateNetworks }),
  }
}

/** Of the workers alone, who scan; what is as it always is, is not told. */
function scannerEnvironment(config: Config, { domain }: CloudConfig): Record<string, string> {
  const told = {
    // Scanners elsewhere pull from the front door.
    ENTREPOT_EXTERNAL_URL: domain ? `https://${domain.name}` : '',
    ENTREPOT_TRIVY: config.trivy === 'trivy' ? '' : config.trivy,
    ENTREPOT_TRIVY_CHECKS: config.trivyChecks,
    ENTREPOT_TRIVY_IGNORE_UNFIXED: config.trivyIgnoreUnfixed,
    ENTREPOT_TRIVY_OFFLINE: config.trivyOffline,
    ENTREPOT_TRIVY_TIMEOUT_SECONDS: String(config.trivyTimeoutSeconds),
    ENTREPOT_TRIVY_DB_REPOSITORY: config.trivyDbRepository,
    ENTREPOT_TRIVY_JAVA_DB_REPOSITORY: config.trivyJavaDbRepository,
  }
  return Object.fromEntries(Object.entries(told).filter(([, value]) => value !== ''))
}

function imageOf(cloud: CloudConfig): ContainerImage {
  if (cloud.image !== undefined) return ContainerImage.fromRegistry(cloud.image)
  return ContainerImage.fromAsset(root, { platform: Platform.LINUX_ARM64 })
}
