// Where tasks run: public subnets without any way in but the load balancer's, or private ones with endpoints.
import { Fn, Stack, type StackProps } from 'aws-cdk-lib'
import {
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  IpAddresses,
  type IVpc,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2'
import { Cluster, ContainerInsights, type ICluster } from 'aws-cdk-lib/aws-ecs'
import type { Construct } from 'constructs'
import type { CloudConfig } from '../../config/cloud.ts'

const INTERFACES = {
  Ecr: InterfaceVpcEndpointAwsService.ECR,
  EcrDocker: InterfaceVpcEndpointAwsService.ECR_DOCKER,
  Logs: InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
  Secrets: InterfaceVpcEndpointAwsService.SECRETS_MANAGER,
  Sqs: InterfaceVpcEndpointAwsService.SQS,
  Ecs: InterfaceVpcEndpointAwsService.ECS,
}

export class NetworkStack extends Stack {
  readonly cidr = '10.0.0.0/16'
  readonly vpc: IVpc
  readonly cluster: ICluster

  /** Known to CloudFormation: asking the account would make the templates its own, and need a file of answers. */
  override get availabilityZones(): string[] {
    return [0, 1].map((index) => Fn.select(index, Fn.getAzs()))
  }

  constructor(scope: Construct, id: string, cloud: CloudConfig, props: StackProps) {
    super(scope, id, props)
    const isolated = cloud.privateNetworking
    const vpc = new Vpc(this, 'Vpc', {
      ipAddresses: IpAddresses.cidr(this.cidr),
      maxAzs: 2,
      natGateways: 0,
      restrictDefaultSecurityGroup: false, // by a custom resource; ours never use it
      subnetConfiguration: [
        { name: 'public', subnetType: SubnetType.PUBLIC, mapPublicIpOnLaunch: false },
        ...(isolated ? [{ name: 'tasks', subnetType: SubnetType.PRIVATE_ISOLATED }] : []),
      ],
      // Layers move over these two, free of charge.
      gatewayEndpoints: {
        S3: { service: GatewayVpcEndpointAwsService.S3 },
        DynamoDb: { service: GatewayVpcEndpointAwsService.DYNAMODB },
      },
    })
    this.vpc = vpc as IVpc
    if (isolated)
      for (const [name, service] of Object.entries(INTERFACES)) vpc.addInterfaceEndpoint(name, { service })
    this.cluster = new Cluster(this, 'Cluster', {
      vpc: this.vpc,
      containerInsightsV2: ContainerInsights.DISABLED,
    }) as ICluster
  }
}
