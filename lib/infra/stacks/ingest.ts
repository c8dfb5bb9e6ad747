// Ingest: tasks that carry the whole HTTP core, behind a load balancer. Behind the edge they take the streams; with
// `frontDoor: alb` they are the registry.
import { Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib'
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager'
import { Peer, Port, SubnetType } from 'aws-cdk-lib/aws-ec2'
import { type ContainerImage, FargateService, LogDriver, PropagatedTagSource } from 'aws-cdk-lib/aws-ecs'
import {
  ApplicationLoadBalancer,
  ApplicationProtocol,
  ApplicationTargetGroup,
  ListenerAction,
  SslPolicy,
  TargetType,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'
import type { CloudConfig } from '../../config/cloud.ts'
import { ALL_BLOBS, ALL_ITEMS, allow, allowBlobs, allowItems } from '../constructs/grants.ts'
import { registryTask } from '../constructs/registry-task.ts'
import type { DataStack } from './data.ts'
import type { Pool } from './identity.ts'
import type { NetworkStack } from './network.ts'
import type { WorkersStack } from './workers.ts'

const PORT = 8080
/** An upload's answer may take a while after its last byte. */
const IDLE_SECONDS = 400
/**
 * Whoever closes an idle connection first must be the balancer: on one that the task has just closed it may already have
 * sent a request, and answers that with 502.
 */
const KEEP_ALIVE_SECONDS = IDLE_SECONDS + 20
const DRAIN_SECONDS = 120

export interface IngestProps extends StackProps {
  data: DataStack
  network: NetworkStack
  workers: WorkersStack
  image: ContainerImage
  environment: Record<string, string>
  pool: Pool | undefined
}

export class IngestStack extends Stack {
  readonly balancer: ApplicationLoadBalancer
  readonly service: FargateService
  readonly targets: ApplicationTargetGroup

  constructor(scope: Construct, id: string, cloud: CloudConfig, props: IngestProps) {
    super(scope, id, props)
    const { data, network, image, environment } = props
    if (cloud.ingest === 'off') throw new Error('ingest is off: there is no such stack')
    const { min, max } = cloud.ingest
    const front = cloud.frontDoor === 'alb'
    const logGroup = new LogGroup(this, 'Log', {
      retention: cloud.logRetentionDays as RetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    })
    const task = registryTask(this, 'Task', {
      ...cloud.ingest,
      image,
      name: 'ingest',
      environment: {
        ...environment,
        ...(front ? props.workers.told : {}),
        ENTREPOT_HOST: '0.0.0.0', // of its own network interface
        ENTREPOT_PORT: String(PORT),
        ENTREPOT_KEEP_ALIVE_SECONDS: String(KEEP_ALIVE_SECONDS),
        ENTREPOT_EDGE: front ? 'off' : 'on',
        ...(front ? { ENTREPOT_TRUSTED_PROXIES: '1' } : {}), // the load balancer
        ...(front && cloud.domain ? { ENTREPOT_EXTERNAL_URL: `https://${cloud.domain.name}` } : {}),
      },
      logging: LogDriver.awsLogs({ logGroup, streamPrefix: 'ingest' }),
      port: { containerPort: PORT },
    })
    // Behind the edge it gets uploads alone, which their session tokens admit.
    const uploads = ['DeleteItem', 'GetItem', 'PutItem'] as const
    // Cold blobs of caches too, whose projects are looked up.
    allowItems(task.taskRole, data.table, front ? ALL_ITEMS : [...uploads, 'BatchGetItem'])
    allowBlobs(task.taskRole, data.bucket, ALL_BLOBS)
    allow(task.taskRole, ['secretsmanager:GetSecretValue'], [data.keys.secretArn])
    if (front) props.workers.allowDispatch(task.taskRole)
    if (props.pool && front) allow(task.taskRole, ['cognito-idp:AdminInitiateAuth'], [props.pool.arn])

    this.balancer = new ApplicationLoadBalancer(this, 'Balancer', {
      vpc: network.vpc,
      // The edge reaches it within the VPC; as the front door it is reached from outside.
      internetFacing: front && !cloud.privateNetworking,
      vpcSubnets: { subnetType: cloud.privateNetworking ? SubnetType.PRIVATE_ISOLATED : SubnetType.PUBLIC },
      idleTimeout: Duration.seconds(IDLE_SECONDS),
      dropInvalidHeaderFields: true,
    })
    this.service = new FargateService(this, 'Service', {
      serviceName: `${cloud.name}-ingest`,
      cluster: network.cluster,
      taskDefinition: task,
      desiredCount: min,
      assignPublicIp: !cloud.privateNetworking,
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      circuitBreaker: { rollback: true },
      propagateTags: PropagatedTagSource.SERVICE,
      healthCheckGracePeriod: Duration.seconds(60),
    })
    const arn = this.formatArn({
      service: 'ecs',
      resource: 'task',
      resourceName: `${network.cluster.clusterName}/*`,
    })
    // While an upload is under way the task is not scaled in.
    allow(task.taskRole, ['ecs:UpdateTaskProtection'], [arn])
    const scaling = this.service.autoScaleTaskCount({ minCapacity: min, maxCapacity: max })
    scaling.scaleOnCpuUtilization('Cpu', { targetUtilizationPercent: 60 })

    this.targets = new ApplicationTargetGroup(this, 'Targets', {
      vpc: network.vpc,
      port: PORT,
      protocol: ApplicationProtocol.HTTP,
      targetType: TargetType.IP,
      targets: [this.service],
      deregistrationDelay: Duration.seconds(DRAIN_SECONDS),
      healthCheck: { path: '/healthz', interval: Duration.seconds(10), healthyThresholdCount: 2 },
    })
    if (front) this.listenToClients(cloud)
    else this.listenToEdge(network)
  }

  /** CloudFront comes from within the VPC; the origin's secret tells it from others. */
  private listenToEdge({ cidr }: NetworkStack): void {
    const listener = this.balancer.addListener('Edge', {
      port: 80,
      protocol: ApplicationProtocol.HTTP,
      open: false,
      defaultAction: ListenerAction.forward([this.targets]),
    })
    listener.connections.allowFrom(Peer.ipv4(cidr), Port.tcp(80), 'VPC origin of CloudFront')
  }

  private listenToClients({ domain, privateNetworking }: CloudConfig): void {
    const listener = this.balancer.addListener('Clients', {
      port: 443,
      protocol: ApplicationProtocol.HTTPS,
      sslPolicy: SslPolicy.RECOMMENDED_TLS,
      certificates: [Certificate.fromCertificateArn(this, 'Certificate', domain!.certificateArn)],
      open: !privateNetworking,
      defaultAction: ListenerAction.forward([this.targets]),
    })
    if (privateNetworking)
      listener.connections.allowFromAnyIpv4(Port.tcp(443), 'clients in and behind the VPC')
  }
}
