// How many functions the account may run at once. A pull of a few layers asks for a handful at the same moment.
import type { LambdaClient } from '@aws-sdk/client-lambda'
import { type Finding, failed } from './finding.ts'

const CHECK = 'concurrency'
/** New accounts begin with 10, of which two clients at work take all. */
const ENOUGH = 100

export async function checkConcurrency(lambda: Pick<LambdaClient, 'send'>): Promise<Finding> {
  const todo =
    'ask for 1000: aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 --desired-value 1000'
  try {
    const { GetAccountSettingsCommand } = await import('@aws-sdk/client-lambda')
    const { AccountLimit: limit } = await lambda.send(new GetAccountSettingsCommand({}))
    const free = limit?.UnreservedConcurrentExecutions ?? limit?.ConcurrentExecutions ?? 0
    if (free >= ENOUGH)
      return { check: CHECK, status: 'ok', found: `${free} functions at once are left for the registry` }
    return {
      check: CHECK,
      status: 'warn',
      found: `only ${free} functions at once are left for the registry: clients will see 429 and 503`,
      todo,
    }
  } catch (error) {
    return failed(CHECK, error, todo)
  }
}
