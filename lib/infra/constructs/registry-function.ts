// A function of the registry: one runtime, one way to bundle, a log group of its own, and exactly the rights it is given.
import path from 'node:path'
import { type Duration, RemovalPolicy } from 'aws-cdk-lib'
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Architecture, type ILayerVersion, LoggingFormat, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda'
import { NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import type { Construct } from 'constructs'

const root = path.resolve(import.meta.dirname, '../../..')

/** A function's credentials are in its environment: these are imported on demand, never, and 100 KB. */
const OTHER_CREDENTIALS = [
  '@aws-sdk/credential-provider-http',
  '@aws-sdk/credential-provider-ini',
  '@aws-sdk/credential-provider-login',
  '@aws-sdk/credential-provider-process',
  '@aws-sdk/credential-provider-sso',
  '@aws-sdk/credential-provider-web-identity',
  '@smithy/credential-provider-imds',
]

const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"

export interface RegistryFunctionProps {
  /** Folder under lambdas/. */
  handler: string
  description: string
  /** 1769 MiB is one vCPU. */
  memoryMiB: number
  timeout: Duration
  environment: Record<string, string>
  retention: RetentionDays
  layers?: ILayerVersion[]
}

export class RegistryFunction extends NodejsFunction {
  constructor(scope: Construct, id: string, props: RegistryFunctionProps) {
    const { handler, description, memoryMiB, timeout, environment, retention, layers = [] } = props
    const logGroup = new LogGroup(scope, `${id}Log`, { retention, removalPolicy: RemovalPolicy.DESTROY })
    const role = new Role(scope, `${id}Role`, { assumedBy: new ServicePrincipal('lambda.amazonaws.com') })
    logGroup.grantWrite(role)
    super(scope, id, {
      role,
      entry: path.join(root, 'lambdas', handler, 'handler.ts'),
      projectRoot: root,
      depsLockFilePath: path.join(root, 'package-lock.json'),
      description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: memoryMiB,
      timeout,
      // Named in CloudTrail beside every call.
      environment: { AWS_SDK_UA_APP_ID: `entrepot-${handler}`, ...environment },
      layers,
      logGroup,
      loggingFormat: LoggingFormat.TEXT, // our lines are JSON already
      tracing: Tracing.ACTIVE,
      bundling: {
        format: OutputFormat.ESM,
        target: 'node24',
        // Defaults would take the SDK's CommonJS, which crashes in an ES module and is half as large again.
        mainFields: ['module', 'main'],
        // What there is in CommonJS alone asks for Node's own modules with it.
        banner: REQUIRE,
        bundleAwsSDK: true,
        externalModules: OTHER_CREDENTIALS,
        minify: true,
        keepNames: true,
      },
    })
  }
}
