// What runs without being asked by a client: setting up, events out of the outbox, direct uploads, the schedules.
import { CustomResource, Duration, Stack, type StackProps } from 'aws-cdk-lib'
import { EventBus, Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets'
import { FilterCriteria, FilterRule, StartingPosition } from 'aws-cdk-lib/aws-lambda'
import { DynamoEventSource, SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources'
import type { RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import type { Construct } from 'constructs'
import type { CloudConfig } from '../../config/cloud.ts'
import { allow, allowBlobs, allowItems, CHANGES } from '../constructs/grants.ts'
import { RegistryFunction } from '../constructs/registry-function.ts'
import { trustLayers } from '../constructs/trust-layer.ts'
import type { DataStack } from './data.ts'
import { LIGHT_SECONDS, type WorkersStack } from './workers.ts'

const RELAY_SECONDS = 120
const SETUP_SECONDS = 120
/** Keys sign for a month, and verify for as long again. */
const ROTATE_DAYS = 30
const SWEEP_HOURS = 6

export interface EventsProps extends StackProps {
  data: DataStack
  workers: WorkersStack
  /** Extra certificate authorities. */
  pem: string | undefined
  /** What every program of the registry is told. */
  environment: Record<string, string>
}

export class EventsStack extends Stack {
  /** What happens in the registry, for whoever builds on it: docs/events.md. */
  readonly bus: EventBus
  readonly relay: RegistryFunction
  readonly jobs: RegistryFunction
  readonly setup: RegistryFunction
  /** Events that failed for good. */
  readonly failures: Queue
  /** Done once the table has its administrator and the edge its keys. */
  readonly done: CustomResource

  constructor(scope: Construct, id: string, cloud: CloudConfig, props: EventsProps) {
    super(scope, id, props)
    const common = {
      retention: cloud.logRetentionDays as RetentionDays,
      layers: trustLayers(this, props.pem),
      memoryMiB: 512,
    }
    this.failures = new Queue(this, 'Failures', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    })
    this.bus = new EventBus(this, 'Bus', { eventBusName: cloud.name, description: 'Events of the registry' })
    this.relay = this.makeRelay(common, props)
    this.jobs = this.makeJobs(common, props)
    this.listen(props.data)
    this.setup = this.makeSetup(common, props)
    this.done = new CustomResource(this, 'SetUp', {
      serviceToken: this.setup.functionArn,
      serviceTimeout: Duration.seconds(SETUP_SECONDS),
      // A new version of the function is a new look at the table and the password.
      properties: { version: this.setup.currentVersion.version },
    })
    this.done.node.addDependency(this.setup)
    this.schedule('Sweep', 'Garbage collection', Duration.hours(SWEEP_HOURS), this.relay, 'sweep')
    this.schedule('Schedules', 'Jobs that are due', Duration.minutes(1), this.relay, 'schedules')
    this.schedule(
      'RotateKeys',
      'New keys of sessions and tokens',
      Duration.days(ROTATE_DAYS),
      this.setup,
      'rotate',
    )
  }

  private makeRelay(common: Common, { data, workers, environment }: EventsProps): RegistryFunction {
    const relay = new RegistryFunction(this, 'Relay', {
      ...common,
      environment: { ...environment, ...workers.told, ENTREPOT_EVENT_BUS: this.bus.eventBusName },
      handler: 'relay',
      description: 'Events out of the outbox, direct uploads, the schedule',
      timeout: Duration.seconds(RELAY_SECONDS),
    })
    allowItems(relay, data.table, CHANGES)
    // Large manifests are read; that a blob is missing is to be told only where S3 tells of blobs.
    allowBlobs(relay, data.bucket, data.edgeKeys ? ['GetObject', 'ListBucket'] : ['GetObject'])
    workers.allowDispatch(relay)
    allow(relay, ['events:PutEvents'], [this.bus.eventBusArn])
    return relay
  }

  private makeJobs(common: Common, { data, workers, environment }: EventsProps): RegistryFunction {
    const jobs = new RegistryFunction(this, 'Jobs', {
      ...common,
      environment: { ...environment, ...workers.told },
      handler: 'jobs',
      description: 'Light jobs: webhooks, looks at other registries',
      timeout: Duration.seconds(LIGHT_SECONDS),
    })
    allowItems(jobs, data.table, [
      'BatchGetItem',
      'BatchWriteItem',
      'DeleteItem',
      'GetItem',
      'PutItem',
      'Query', // all other registries, for a look at each
    ])
    allow(jobs, ['sqs:SendMessage'], [workers.lightQueue.queueArn])
    allow(jobs, ['secretsmanager:GetSecretValue'], [data.keys.secretArn])
    jobs.addEventSource(
      new SqsEventSource(workers.lightQueue, { batchSize: 5, reportBatchItemFailures: true }),
    )
    return jobs
  }

  private listen(data: DataStack): void {
    this.relay.addEventSource(
      new DynamoEventSource(data.table, {
        startingPosition: StartingPosition.TRIM_HORIZON,
        batchSize: 100,
        maxBatchingWindow: Duration.seconds(1),
        retryAttempts: 20,
        bisectBatchOnError: true,
        onFailure: {
          // CDK's own gives more rights than Lambda uses.
          bind: () => {
            allow(this.relay, ['sqs:SendMessage'], [this.failures.queueArn])
            return { destination: this.failures.queueArn }
          },
        },
        // Only outbox events: everything else in the table is none of its business.
        filters: [
          FilterCriteria.filter({
            eventName: FilterRule.isEqual('INSERT'),
            dynamodb: { Keys: { pk: { S: FilterRule.beginsWith('E#') } } },
          }),
        ],
      }),
    )
    if (!data.edgeKeys) return // nobody but our tasks puts anything there
    new Rule(this, 'DirectUploads', {
      description: 'S3 tells of blobs that clients put there themselves',
      eventPattern: {
        source: ['aws.s3'],
        detailType: ['Object Created'],
        detail: {
          bucket: { name: [data.bucket.bucketName] },
          object: { key: [{ wildcard: 'b/*/sha256/*' }] },
        },
      },
      targets: [new LambdaFunction(this.relay, { deadLetterQueue: this.failures, retryAttempts: 10 })],
    })
  }

  private makeSetup(common: Common, { data, environment }: EventsProps): RegistryFunction {
    const setup = new RegistryFunction(this, 'Setup', {
      ...common,
      environment: {
        ...environment,
        ENTREPOT_ADMIN_PASSWORD_SECRET: data.adminPassword.secretArn,
        ...(data.edgeKeys ? { ENTREPOT_EDGE_KEYS: data.edgeKeys.attrArn } : {}),
      },
      handler: 'setup',
      description: 'Makes the table one of ours, keeps the keys',
      timeout: Duration.seconds(SETUP_SECONDS),
    })
    allowItems(setup, data.table, ['BatchWriteItem', 'GetItem', 'PutItem'])
    allow(setup, ['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'], [data.keys.secretArn])
    allow(setup, ['secretsmanager:GetSecretValue'], [data.adminPassword.secretArn])
    const store = 'cloudfront-keyvaluestore'
    if (data.edgeKeys)
      allow(
        setup,
        [`${store}:DescribeKeyValueStore`, `${store}:ListKeys`, `${store}:UpdateKeys`],
        [data.edgeKeys.attrArn],
      )
    return setup
  }

  private schedule(
    id: string,
    description: string,
    every: Duration,
    target: RegistryFunction,
    task: string,
  ): void {
    const event = RuleTargetInput.fromObject({ task })
    new Rule(this, id, {
      description,
      schedule: Schedule.rate(every),
      targets: [new LambdaFunction(target, { event, deadLetterQueue: this.failures })],
    })
  }
}

type Common = Pick<ConstructorParameters<typeof RegistryFunction>[2], 'retention' | 'layers' | 'memoryMiB'>
