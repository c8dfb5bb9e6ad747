// Jobs: a queue, and tasks that run while there is something in it.
import { Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib'
import { type ContainerImage, FargateService, LogDriver, PropagatedTagSource } from 'aws-cdk-lib/aws-ecs'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs'
import type { Construct } from 'constructs'
import type { CloudConfig } from '../../config/cloud.ts'
import { allow, allowBlobs, allowItems, CHANGES, CLEARING } from '../constructs/grants.ts'
import { registryTask } from '../constructs/registry-task.ts'
import type { DataStack } from './data.ts'
import type { NetworkStack } from './network.ts'

/** A worker that was killed gives its job back after this without a heartbeat. */
const VISIBILITY_SECONDS = 120
const DELIVERIES = 8

export interface WorkersProps extends StackProps {
  data: DataStack
  network: NetworkStack
  image: ContainerImage
  environment: Record<string, string>
}

export class WorkersStack extends Stack {
  readonly queue: Queue
  readonly deadLetters: Queue
  readonly service: FargateService

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
    const logGroup = new LogGroup(this, 'Log', {
      retention: cloud.logRetentionDays as RetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    const serviceName = `${cloud.name}-workers`
    const task = registryTask(this, 'Task', {
      ...cloud.workers,
      image,
      name: 'worker',
      environment: {
        ...environment,
        ENTREPOT_QUEUE: this.queue.queueUrl,
        ENTREPOT_CLUSTER: network.cluster.clusterName,
        ENTREPOT_WORKERS: serviceName,
      },
      logging: LogDriver.awsLogs({ logGroup, streamPrefix: 'worker' }),
    })
    allowItems(task.taskRole, data.table, CHANGES)
    allowBlobs(task.taskRole, data.bucket, CLEARING)
    allow(
      task.taskRole,
      ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:ChangeMessageVisibility'],
      [this.queue.queueArn],
    )
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
  }
}
