// Jobs: a queue, and tasks that run while there is something in it.
import { Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib'
import { type ContainerImage, FargateService, LogDriver, PropagatedTagSource } from 'aws-cdk-lib/aws-ecs'
import type { IGrantable } from 'aws-cdk-lib/aws-iam'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import type { Construct } from 'constructs'
import type { CloudConfig } from '../../config/cloud.ts'
import { ALL_BLOBS, ALL_ITEMS, allow, allowBlobs, allowItems } from '../constructs/grants.ts'
import { registryTask } from '../constructs/registry-task.ts'
import type { DataStack } from './data.ts'
import type { NetworkStack } from './network.ts'

/** A worker that was killed gives its job back after this without a heartbeat. */
const VISIBILITY_SECONDS = 120
const DELIVERIES = 8
/** The function's time for one batch of light jobs. */
export const LIGHT_SECONDS = 120

export interface WorkersProps extends StackProps {
  data: DataStack
  network: NetworkStack
  image: ContainerImage
  environment: Record<string, string>
}

export class WorkersStack extends Stack {
  /** Of heavy jobs, which the tasks take. */
  readonly queue: Queue
  /** Of light jobs, which a function takes. */
  readonly lightQueue: Queue
  readonly deadLetters: Queue
  readonly service: FargateService
  /** What a program that begins jobs is told. */
  private readonly serviceArn: string
  readonly told: Record<string, string>

  constructor(scope: Construct, id: string, cloud: CloudConfig, props: WorkersProps) {
    super(scope, id, props)
    const { data, network, image, environment } = props
    const safe = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true }
    this.deadLetters = new Queue(this, 'DeadLetters', { ...safe, retentionPeriod: Duration.days(14) })
    this.queue = new Queue(this, 'Jobs', {
      ...safe,
      visibilityTimeout: Duration.seconds(VISIBILITY_SECONDS),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: DELIVERIES },
    })
    this.lightQueue = new Queue(this, 'LightJobs', {
      ...safe,
      visibilityTimeout: Duration.seconds(LIGHT_SECONDS * 6), // as Lambda wants it
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: DELIVERIES },
    })
    const logGroup = new LogGroup(this, 'Log', {
      retention: cloud.logRetentionDays as RetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    const serviceName = `${cloud.name}-workers`
    this.told = {
      ENTREPOT_QUEUE: this.queue.queueUrl,
      ENTREPOT_LIGHT_QUEUE: this.lightQueue.queueUrl,
      ENTREPOT_CLUSTER: network.cluster.clusterName,
      ENTREPOT_WORKERS: serviceName,
    }
    const task = registryTask(this, 'Task', {
      ...cloud.workers,
      image,
      name: 'worker',
      environment: {
        ...environment,
        ...this.told,
      },
      logging: LogDriver.awsLogs({ logGroup, streamPrefix: 'worker' }),
    })
    allowItems(task.taskRole, data.table, ALL_ITEMS)
    allowBlobs(task.taskRole, data.bucket, ALL_BLOBS)
    // Logins to other registries are sealed with these keys.
    allow(task.taskRole, ['secretsmanager:GetSecretValue'], [data.keys.secretArn])
    allow(
      task.taskRole,
      ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility'],
      [this.queue.queueArn],
    )
    // What is tried again, or has to wait, goes back as a new message.
    allow(task.taskRole, ['sqs:SendMessage'], [this.queue.queueArn, this.lightQueue.queueArn])
    this.service = new FargateService(this, 'Service', {
      serviceName,
      cluster: network.cluster,
      taskDefinition: task,
      // Whoever enqueues wakes it; it puts itself to sleep.
      desiredCount: 0,
      assignPublicIp: !cloud.privateNetworking,
      minHealthyPercent: 0,
      maxHealthyPercent: 200,
      circuitBreaker: { rollback: true },
      propagateTags: PropagatedTagSource.SERVICE,
    })
    const arn = this.formatArn({
      service: 'ecs',
      resource: 'service',
      resourceName: `${network.cluster.clusterName}/${serviceName}`,
    })
    allow(task.taskRole, ['ecs:UpdateService'], [arn])
    this.serviceArn = arn
  }

  /** Lets a program begin jobs, and wake whoever runs them. */
  allowDispatch(grantee: IGrantable): void {
    allow(grantee, ['sqs:SendMessage'], [this.queue.queueArn, this.lightQueue.queueArn])
    allow(grantee, ['ecs:DescribeServices', 'ecs:UpdateService'], [this.serviceArn])
  }
}
