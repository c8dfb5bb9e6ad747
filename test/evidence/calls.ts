// Calls to S3 and DynamoDB: each operation beside its budget, and a whole push beside other registries.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openBudgeted } from '../aws/budgeted-server.ts'
import { type Measured, measureCalls } from '../aws/call-budgets.ts'
import { comparePeers } from '../aws/peers.ts'

export const title = 'Calls to S3 and DynamoDB'

export async function collect(): Promise<string> {
  const data = await mkdtemp(path.join(tmpdir(), 'entrepot-calls-'))
  const open = await openBudgeted(data, { ENTREPOT_DIRECT_UPLOADS: 'on' })
  const rows = await measureCalls(open)
  await open.close()
  await rm(data, { recursive: true, force: true })
  const peers = [...(await comparePeers(3)), ...(await comparePeers(60))]
  const mine = (layers: number) => peers.find((each) => each.layers === layers)!.push
  const sum = ({ s3, dynamodb }: { s3: number; dynamodb: number }) => s3 + dynamodb
  return [
    'Counted by a proxy in front of each store (versitygw for S3, dynoxide for DynamoDB), with a login, on a warm process.',
    'Who pushes is looked up once a second; that call and the records of use, written once a second, are left out.',
    '',
    '| operation | S3 | budget | DynamoDB | budget | calls |',
    '|---|---|---|---|---|---|',
    ...rows.map(
      ({ operation, s3, dynamodb, budget }) =>
        `| ${operation} | ${s3.length} | ${budget.s3} | ${dynamodb.length} | ${budget.dynamodb} | ${counted([...s3, ...dynamodb])} |`,
    ),
    '',
    'A whole push with skopeo, the same image again under another tag, and a pull; S3 calls + DynamoDB calls. Through the',
    'edge, with direct uploads on, each blob that is asked for in vain is one ListObjectsV2 more.',
    '',
    '| registry | layers | push | again | pull | push, S3 calls ours : theirs | all calls |',
    '|---|---|---|---|---|---|---|',
    ...peers.map(({ registry, layers, push, again, pull }) => {
      const ratio = (theirs: number, ours: number) => `1 : ${(theirs / ours).toFixed(1)}`
      const both = (counts: { s3: number; dynamodb: number }) => `${counts.s3} + ${counts.dynamodb}`
      return `| ${registry} | ${layers} | ${both(push)} | ${both(again)} | ${both(pull)} | ${ratio(push.s3, mine(layers).s3)} | ${ratio(sum(push), sum(mine(layers)))} |`
    }),
  ].join('\n')
}

function counted(operations: Measured['s3']): string {
  const counts = new Map<string, number>()
  for (const operation of operations) counts.set(operation, (counts.get(operation) ?? 0) + 1)
  return [...counts].map(([operation, count]) => (count > 1 ? `${count} ${operation}` : operation)).join(', ')
}
