// What each program may do, and what it did.
import { openWorkplace } from '../clients/workplace.ts'
import {
  callsIn,
  denied,
  rightsIn,
  USED_BY_OTHERS,
  unusedRights,
  withoutAction,
  work,
} from '../twin/rights.ts'
import { sharedTwin } from '../twin/shared.ts'

export const title = 'Rights and calls'

export async function collect(): Promise<string> {
  process.env.TEST_STORES = 'twin'
  const twin = await sharedTwin()
  const at = await openWorkplace()
  await work(twin, at)
  const calls = callsIn(twin)
  const rights = await rightsIn(twin)
  await at.close()
  await twin.stop()
  const rows = rights.flatMap((each) =>
    each.granted.map((action) => {
      const why = USED_BY_OTHERS[action] ?? USED_BY_OTHERS[`${each.program} ${action}`]
      const needed = denied(withoutAction(each, action), calls).length
      return `| ${each.program} | ${action} | ${why ? `(${why})` : needed} |`
    }),
  )
  const refused = rights.flatMap((each) => denied(each, calls))
  const unused = rights.flatMap((each) => unusedRights(each, calls))
  return [
    'Policies as they were deployed into MiniStack, judged by the checker of `test/support/iam.ts`, which has its own table of',
    'cases. Calls were written down by a relay between the programs and S3, DynamoDB, SQS, ECS, Secrets Manager and the',
    'key-value store, while clients of both families pushed, everything else was asked once, and a worker found it nine days',
    `later: ${calls.length} calls. Calls that no policy allows: ${refused.length}. Rights that nothing used: ${unused.length}.`,
    '',
    '| program | right | calls that fail without it |',
    '|---|---|---|',
    ...rows,
  ].join('\n')
}
