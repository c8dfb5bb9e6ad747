// What the doctor says of the deployment.

import { entrepot } from '../cli/command.ts'
import { operate } from '../twin/operate.ts'
import { sharedTwin } from '../twin/shared.ts'

export const title = 'The doctor'

export async function collect(): Promise<string> {
  const twin = await sharedTwin()
  const env = { ENTREPOT_PASSWORD: twin.adminPassword, NODE_EXTRA_CA_CERTS: twin.authority }
  const { stdout, code } = await entrepot(['doctor', twin.url], env)
  const checked = await operate(twin, 'fsck')
  const { Url, DirectUploads, DirectClients, ProbeFailed } = twin.outputs
  await twin.stop()
  return [
    'Of the twin, as it was deployed. The outputs of the stacks:',
    '',
    '```',
    ...Object.entries({ Url, DirectUploads, DirectClients, ProbeFailed }).map(
      ([name, value]) => `${name} = ${value}`,
    ),
    '```',
    '',
    `\`entrepot doctor URL\` (exit code ${code}):`,
    '',
    '```',
    stdout.trim(),
    '```',
    '',
    `\`entrepot fsck\` afterwards: ${checked.stdout.trim()}`,
  ].join('\n')
}
