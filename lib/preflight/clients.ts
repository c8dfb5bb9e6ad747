// The SDK's clients, loaded when they are asked for: every other command does without them.
import type { ACMClient } from '@aws-sdk/client-acm'
import type { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import type { LambdaClient } from '@aws-sdk/client-lambda'
import type { STSClient } from '@aws-sdk/client-sts'

export interface Clients {
  sts: STSClient
  cloudformation: CloudFormationClient
  lambda: LambdaClient
  acm(region: string): ACMClient
}

/** Somebody waits in front of it. */
const HASTE = { maxAttempts: 2, requestHandler: { connectionTimeout: 5000, requestTimeout: 15_000 } }

/** With region, credentials and endpoints as the environment and the profile say. */
export async function openClients(): Promise<Clients> {
  const [{ STSClient }, { CloudFormationClient }, { LambdaClient }, { ACMClient }] = await Promise.all([
    import('@aws-sdk/client-sts'),
    import('@aws-sdk/client-cloudformation'),
    import('@aws-sdk/client-lambda'),
    import('@aws-sdk/client-acm'),
  ])
  return {
    sts: new STSClient(HASTE),
    cloudformation: new CloudFormationClient(HASTE),
    lambda: new LambdaClient(HASTE),
    acm: (region) => new ACMClient({ ...HASTE, region }),
  }
}
