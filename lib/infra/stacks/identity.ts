// People: a user pool of Cognito, for deployments that want one; its users log in beside the registry's own.
import { RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib'
import { UserPool, UserPoolClient } from 'aws-cdk-lib/aws-cognito'
import type { Construct } from 'constructs'
import type { CloudConfig } from '../../config/cloud.ts'

/** A pool with a client, made or named, and the right to ask it for a login. */
export interface Pool {
  id: string
  arn: string
  client: string
}

export class IdentityStack extends Stack {
  readonly pool: Pool

  constructor(scope: Construct, id: string, cloud: CloudConfig, props: StackProps) {
    super(scope, id, props)
    const pool = new UserPool(this, 'Users', {
      userPoolName: cloud.name,
      selfSignUpEnabled: false,
      signInAliases: { username: true },
      signInCaseSensitive: false,
      passwordPolicy: {
        minLength: 12,
        requireDigits: true,
        requireLowercase: true,
        requireUppercase: true,
        requireSymbols: false,
      },
      deletionProtection: cloud.keep,
      removalPolicy: cloud.keep ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    })
    const client = new UserPoolClient(this, 'Client', {
      userPool: pool,
      // The registry checks name and password with its own rights; nobody else can use this client.
      authFlows: { adminUserPassword: true },
      generateSecret: false,
      preventUserExistenceErrors: true,
      disableOAuth: true,
    })
    this.pool = { id: pool.userPoolId, arn: pool.userPoolArn, client: client.userPoolClientId }
  }
}
