// The ports' contracts on the stand-ins for AWS, and how strict those are.
import { spawnSync } from 'node:child_process'
import { runTests } from '../report.ts'
import { toolPath } from '../tools.ts'

export const title = 'Contracts of the ports on S3, DynamoDB and SQS'

export async function collect(): Promise<string> {
  const version = (command: string) =>
    spawnSync('bash', ['-c', command], {
      encoding: 'utf8',
      env: { ...process.env, PATH: toolPath },
    }).stdout.trim()
  const files = ['contract', 'queue', 'strictness', 'processes', 'direct-uploads', 'recovery', 'model']
  const rows = files.flatMap((name) =>
    runTests([`test/aws/${name}.test.ts`]).outcomes.map(
      ({ sentence, passed }) => `| ${name} | ${sentence} | ${passed ? 'passed' : '**FAILED**'} |`,
    ),
  )
  return [
    `S3 is versitygw (${version('ls tools/bin/.versitygw-* | sed "s/.*-//"')}), DynamoDB is dynoxide (${version('dynoxide --version')}),`,
    `SQS is MiniStack (${version('ls tools/bin/.ministack-* | sed "s/.*-//"')}). The contract suites are the files of \`test/contract\`,`,
    'which the local stores pass as well. What a stand-in lacks is asserted in `strictness` and injected by proxies where it',
    'matters (`docs/evidence/faults.md`): transactions that meet, throttling, credentials that expire.',
    '',
    '| suite | test | result |',
    '|---|---|---|',
    ...rows,
  ].join('\n')
}
