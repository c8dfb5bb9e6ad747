// What a deployment made, by the names it got.
import { CloudFormationClient, ListStackResourcesCommand } from '@aws-sdk/client-cloudformation'

export interface Made {
  /** The physical id of the only resource of that type whose logical id begins so. */
  id(stack: string, type: string, name?: string): Promise<string>
}

export function madeIn(
  endpoint: string,
  credentials: { accessKeyId: string; secretAccessKey: string },
): Made {
  const client = new CloudFormationClient({ endpoint, credentials, region: 'us-east-1' })
  return {
    async id(stack, type, name = '') {
      const { StackResourceSummaries = [] } = await client.send(
        new ListStackResourcesCommand({ StackName: `entrepot-${stack}` }),
      )
      const found = StackResourceSummaries.filter(
        ({ ResourceType, LogicalResourceId }) => ResourceType === type && LogicalResourceId!.startsWith(name),
      )
      if (found.length !== 1) throw new Error(`${found.length} resources of ${stack} are ${type} ${name}`)
      return found[0]!.PhysicalResourceId!
    },
  }
}
