// Whether the account was prepared for the CDK: its bucket, its roles. By the stack rather than the parameter it keeps
// in SSM, because CloudFormation's client is among the dependencies anyway.
import type { CloudFormationClient } from '@aws-sdk/client-cloudformation'
import type { Account } from './account.ts'
import { type Finding, failed } from './finding.ts'

const CHECK = 'bootstrap'
const STACK = 'CDKToolkit'
/** What our templates assert themselves. */
export const BOOTSTRAP_VERSION = 6

export async function checkBootstrap(
  cloudformation: Pick<CloudFormationClient, 'send'>,
  { id, region }: Account,
): Promise<Finding> {
  const todo = `npx cdk bootstrap aws://${id}/${region}`
  try {
    const { DescribeStacksCommand } = await import('@aws-sdk/client-cloudformation')
    const { Stacks } = await cloudformation.send(new DescribeStacksCommand({ StackName: STACK }))
    const { StackStatus: status, Outputs: outputs = [] } = Stacks?.[0] ?? {}
    const version = outputs.find(({ OutputKey }) => OutputKey === 'BootstrapVersion')?.OutputValue
    if (version === undefined)
      return { check: CHECK, status: 'fail', found: `stack ${STACK} is ${status} and has no version`, todo }
    if (Number(version) < BOOTSTRAP_VERSION)
      return {
        check: CHECK,
        status: 'fail',
        found: `stack ${STACK} has version ${version}, ${BOOTSTRAP_VERSION} is needed`,
        todo,
      }
    return { check: CHECK, status: 'ok', found: `stack ${STACK} has version ${version}` }
  } catch (error) {
    if (/does not exist/.test((error as Error).message))
      return { check: CHECK, status: 'fail', found: `there is no stack ${STACK} in ${region}`, todo }
    return failed(CHECK, error, todo)
  }
}
