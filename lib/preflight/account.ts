// Whose account it is, and in which region.
import type { STSClient } from '@aws-sdk/client-sts'
import { type Finding, failed } from './finding.ts'

export interface Account {
  /** Absent when it could not be reached. */
  id?: string
  /** Absent when none is set. */
  region?: string
}

const CHECK = 'account'
const UNREACHED = ['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT']

/** @returns what was found, and what the other checks go by */
export async function checkAccount(
  sts: Pick<STSClient, 'send' | 'config'>,
): Promise<{ finding: Finding; account: Account }> {
  let region: string
  try {
    region = await sts.config.region()
  } catch {
    const todo = 'set AWS_REGION, or a region in your profile (aws configure)'
    return { finding: { check: CHECK, status: 'fail', found: 'no region is set', todo }, account: {} }
  }
  try {
    const { GetCallerIdentityCommand } = await import('@aws-sdk/client-sts')
    const { Account: id, Arn: caller } = await sts.send(new GetCallerIdentityCommand({}))
    const found = `${id} in ${region}, as ${caller}`
    return {
      finding: { check: CHECK, status: 'ok', found },
      account: { region, ...(id === undefined ? {} : { id }) },
    }
  } catch (error) {
    const todo = UNREACHED.includes((error as NodeJS.ErrnoException).code ?? '')
      ? 'see that this machine reaches AWS (network, proxy, AWS_ENDPOINT_URL)'
      : 'log in (aws sso login, AWS_PROFILE or AWS_ACCESS_KEY_ID) until aws sts get-caller-identity works'
    return { finding: failed(CHECK, error, todo), account: { region } }
  }
}
