// What a deployment made, by the names it got.
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CloudFormationClient,
  DescribeStacksCommand,
  ListStackResourcesCommand,
} from '@aws-sdk/client-cloudformation'

export interface Made {
  /** The physical id of the only resource of that type whose logical id begins so. */
  id(stack: string, type: string, name?: string): Promise<string>
  /** Resolves once that stack is deployed. */
  deployed(stack: string): Promise<void>
}

const LOOK_MS = 200

export function madeIn(
  endpoint: string,
  credentials: { accessKeyId: string; secretAccessKey: string },
): Made {
  const client = new CloudFormationClient({ endpoint, credentials, region: 'us-east-1' })
  const statusOf = async (stack: string) => {
    try {
      const { Stacks } = await client.send(new DescribeStacksCommand({ StackName: `entrepot-${stack}` }))
      return Stacks?.[0]?.StackStatus
    } catch {
      return undefined // not begun
    }
  }
  return {
    async deployed(stack) {
      while (!/^(CREATE|UPDATE)_COMPLETE$/.test((await statusOf(stack)) ?? '')) await sleep(LOOK_MS)
    },
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
