// The API: functions behind an HTTP API, for registries behind the edge.
import { Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib'
import { type CfnStage, HttpApi, HttpMethod, HttpNoneAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2'
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'
import type { CloudConfig } from '../../config/cloud.ts'
import { ALL_ITEMS, allow, allowBlobs, allowItems } from '../constructs/grants.ts'
import { RegistryFunction } from '../constructs/registry-function.ts'
import { trustLayers } from '../constructs/trust-layer.ts'
import type { DataStack } from './data.ts'
import type { Pool } from './identity.ts'
import type { WorkersStack } from './workers.ts'

/** API Gateway gives up at 30. */
const REQUEST_SECONDS = 29

export interface ApiProps extends StackProps {
  data: DataStack
  workers: WorkersStack
  /** Extra certificate authorities. */
  pem: string | undefined
  /** What every program of the registry is told. */
  environment: Record<string, string>
  /** Whose users log in too. */
  pool: Pool | undefined
}

export class ApiStack extends Stack {
  readonly api: HttpApi
  readonly functions: Record<'registry' | 'token' | 'management', RegistryFunction>

  constructor(scope: Construct, id: string, cloud: CloudConfig, props: ApiProps) {
    super(scope, id, props)
    const { data, pem } = props
    const retention = cloud.logRetentionDays as RetentionDays
    const common = {
      environment: { ...props.environment, ENTREPOT_EDGE: 'on', ENTREPOT_REDIRECT_HEADS: 'on' },
      retention,
      layers: trustLayers(this, pem),
      timeout: Duration.seconds(REQUEST_SECONDS),
      memoryMiB: 1024, // hashing passwords takes CPU and memory
    }
    const registry = new RegistryFunction(this, 'Registry', {
      ...common,
      handler: 'registry',
      description: 'The OCI distribution API',
    })
    const token = new RegistryFunction(this, 'Token', {
      ...common,
      handler: 'token',
      description: 'Tokens for clients',
    })
    const management = new RegistryFunction(this, 'Management', {
      ...common,
      environment: { ...common.environment, ...props.workers.told },
      handler: 'management',
      description: 'The management API',
    })
    allowItems(registry, data.table, ALL_ITEMS)
    allowBlobs(registry, data.bucket, ['DeleteObject', 'GetObject', 'ListBucket', 'PutObject'])
    // Who asks is looked up, and that they asked is written down.
    // Failed logins are counted by conditional puts. The first login of somebody of the pool makes a user here.
    const onboarding = props.pool ? (['Query'] as const) : []
    allowItems(token, data.table, ['BatchGetItem', 'BatchWriteItem', 'GetItem', 'PutItem', ...onboarding])
    allowItems(management, data.table, ALL_ITEMS)
    props.workers.allowDispatch(management)
    // Configs and charts are read for what they tell; copies of small blobs are made in the bucket.
    allowBlobs(management, data.bucket, ['GetObject', 'PutObject'])
    for (const each of [registry, token, management]) {
      allow(each, ['secretsmanager:GetSecretValue'], [data.keys.secretArn])
      if (props.pool) allow(each, ['cognito-idp:AdminInitiateAuth'], [props.pool.arn])
    }
    this.functions = { registry, token, management }

    const integration = (name: string, target: RegistryFunction) => new HttpLambdaIntegration(name, target)
    this.api = new HttpApi(this, 'Api', {
      apiName: cloud.name,
      description: 'Reached through the edge alone: requests without its secret are refused',
      defaultIntegration: integration('RegistryIntegration', registry),
      defaultAuthorizer: new HttpNoneAuthorizer(), // tokens are the registry's own
    })
    const anyMethod = { methods: [HttpMethod.ANY] }
    this.api.addRoutes({
      path: '/service/{proxy+}',
      ...anyMethod,
      integration: integration('TokenIntegration', token),
    })
    for (const path of ['/api/{proxy+}', '/c/{proxy+}'])
      this.api.addRoutes({
        path,
        ...anyMethod,
        integration: integration(`Management${path[1]}`, management),
      })
    this.logAccess(retention)
  }

  /** Without paths: an upload's path holds its session token. */
  private logAccess(retention: RetentionDays): void {
    const group = new LogGroup(this, 'AccessLog', { retention, removalPolicy: RemovalPolicy.DESTROY })
    const stage = this.api.defaultStage!.node.defaultChild as CfnStage
    stage.accessLogSettings = {
      destinationArn: group.logGroupArn,
      format: JSON.stringify({
        requestId: '$context.requestId',
        method: '$context.httpMethod',
        route: '$context.routeKey',
        status: '$context.status',
        latency: '$context.responseLatency',
        error: '$context.integrationErrorMessage',
      }),
    }
  }
}
