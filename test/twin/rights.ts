// What each program may do, as it was deployed, beside what it was seen doing.
import { existsSync } from 'node:fs'
import path from 'node:path'
import { GetRolePolicyCommand, IAMClient, ListRolePoliciesCommand } from '@aws-sdk/client-iam'
import { askerOf, logIn } from '../../lib/doctor/client.ts'
import type { Workplace } from '../clients/workplace.ts'
import { evaluate, type Policy, type Statement } from '../support/iam.ts'
import { PUSHERS } from './bytes.ts'
import { CREDENTIALS, REGION } from './cloud.ts'
import { eventually, everything } from './everything.ts'
import { joinPool, manage, managementOf } from './management.ts'
import { pullByRule } from './replicate.ts'
import type { Twin } from './twin.ts'
import type { Call } from './witness.ts'

/** Stack and logical name of the role of each program, by what it calls itself to AWS. */
const ROLES: Record<string, [stack: string, role: string]> = {
  registry: ['api', 'RegistryRole'],
  token: ['api', 'TokenRole'],
  management: ['api', 'ManagementRole'],
  relay: ['events', 'RelayRole'],
  jobs: ['events', 'JobsRole'],
  setup: ['events', 'SetupRole'],
  probe: ['edge', 'ProbeRole'],
  ingest: ['ingest', 'TaskTaskRole'],
  worker: ['workers', 'TaskTaskRole'],
}

/** Rights that no call of ours shows: somebody else uses them on the program's behalf. */
export const USED_BY_OTHERS: Record<string, string> = {
  'logs:CreateLogStream': 'Lambda writes the program’s log',
  'logs:PutLogEvents': 'Lambda writes the program’s log',
  'xray:PutTraceSegments': 'Lambda writes traces',
  'xray:PutTelemetryRecords': 'Lambda writes traces',
  'dynamodb:DescribeStream': 'Lambda polls the table’s stream',
  'dynamodb:GetRecords': 'Lambda polls the table’s stream',
  'dynamodb:GetShardIterator': 'Lambda polls the table’s stream',
  'dynamodb:ListStreams': 'Lambda polls the table’s stream',
  'jobs sqs:ReceiveMessage': 'Lambda takes messages from the queue of light jobs',
  'jobs sqs:DeleteMessage': 'Lambda takes messages from the queue of light jobs',
  'jobs sqs:ChangeMessageVisibility': 'Lambda takes messages from the queue of light jobs',
  'jobs sqs:GetQueueAttributes': 'Lambda takes messages from the queue of light jobs',
  'jobs sqs:GetQueueUrl': 'Lambda takes messages from the queue of light jobs',
  'sqs:SendMessage': 'Lambda puts events that failed into the dead letter queue',
  'ecs:UpdateTaskProtection': 'the ECS agent asks for it with the task’s role',
  'ecs:GetTaskProtection': 'the ECS agent asks for it with the task’s role',
}

export interface Rights {
  program: string
  policies: Policy[]
  /** Every action that a statement allows. */
  granted: string[]
}

export async function rightsIn(twin: Twin): Promise<Rights[]> {
  const iam = new IAMClient({ endpoint: twin.cloud.endpoint, credentials: CREDENTIALS, region: REGION })
  const rights: Rights[] = []
  for (const [program, [stack, role]] of Object.entries(ROLES)) {
    if (!existsSync(path.join(twin.deployment.assembly, `entrepot-${stack}.template.json`))) continue
    const RoleName = await twin.made.id(stack, 'AWS::IAM::Role', role)
    const { PolicyNames = [] } = await iam.send(new ListRolePoliciesCommand({ RoleName }))
    const policies: Policy[] = []
    for (const PolicyName of PolicyNames) {
      const { PolicyDocument } = await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName }))
      policies.push(JSON.parse(decodeURIComponent(PolicyDocument!)) as Policy)
    }
    const granted = statementsOf(policies).flatMap(({ Action = [] }) => Action)
    rights.push({ program, policies, granted: [...new Set(granted)].sort() })
  }
  return rights
}

const statementsOf = (policies: Policy[]): Statement[] => policies.flatMap(({ Statement: each }) => each)

export function callsIn(twin: Twin): Call[] {
  return Object.values(twin.cloud.witnesses).flatMap(({ calls }) => calls)
}

/** Calls that the program's own policies do not allow. */
export function denied({ program, policies }: Rights, calls: Call[]): Call[] {
  return calls.filter((call) => call.program === program && !evaluate(policies, call).allowed)
}

/** The same policies without one action. */
export function withoutAction({ policies, ...rest }: Rights, action: string): Rights {
  const kept = statementsOf(policies).map((statement) => ({
    ...statement,
    Action: [statement.Action ?? []].flat().filter((each) => each !== action),
  }))
  return { ...rest, policies: [{ Statement: kept }] }
}

/** Actions without which the program could still have done all that it did. */
export function unusedRights(rights: Rights, calls: Call[]): string[] {
  return rights.granted
    .filter((action) => !(action in USED_BY_OTHERS || `${rights.program} ${action}` in USED_BY_OTHERS))
    .filter((action) => denied(withoutAction(rights, action), calls).length === 0)
    .map((action) => `${rights.program} ${action}`)
}

/** Clients of both families push, everything else is asked once, and days pass. */
export async function work(twin: Twin, at: Workplace): Promise<void> {
  for (const pusher of PUSHERS) {
    const image = await at.image(`rights-${pusher.client}`, { layers: 2, layerBytes: 100_000 })
    await pusher.push(at, image, `${at.host}/library/rights-${pusher.client}:v1`)
  }
  await everything(twin)
  await manage(twin, `rights-${PUSHERS[0]!.client}`)
  if (existsSync(path.join(twin.deployment.assembly, 'entrepot-identity.template.json')))
    await asPoolUser(twin)
  await pullByRule(twin)
  await eventually(twin)
}

/** Somebody of the pool, at each function that takes a password. */
async function asPoolUser(twin: Twin): Promise<void> {
  const [name, password] = ['rita', 'Pool-password-12']
  await joinPool(twin, name, password, 'rights')
  await managementOf(twin, name, password)('GET', '/users/current', 200)
  const challenge = `Bearer realm="${twin.url}/service/token",service="entrepot"`
  await joinPool(twin, 'rosa', password, 'tokens')
  await logIn(twin.url, challenge, { user: 'rosa', password }, 'library/app')
  await joinPool(twin, 'rolf', password, 'images')
  const headers = { authorization: `Basic ${Buffer.from(`rolf:${password}`).toString('base64')}` }
  const answer = await askerOf(twin.url, () => undefined)('GET', '/v2/', { anonymous: true, headers })
  if (answer.status !== 200) throw new Error(`GET /v2/: ${answer.status} ${answer.body}`)
}
