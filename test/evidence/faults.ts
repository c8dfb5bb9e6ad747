// Faults of the stores, each cut of a push, kills, and a layer larger than memory.
import { runTests } from '../report.ts'

export const title = 'Faults of S3 and DynamoDB'

const SUITES: [string, string, Record<string, string>][] = [
  [
    'half an hour of mixed load',
    'test/aws/faults.test.ts',
    { FAULT_SECONDS: process.env.FAULT_SECONDS ?? '1800' },
  ],
  [
    'every call of a push cut or killed',
    'test/aws/cuts.test.ts',
    { CUT_STRIDE: process.env.CUT_STRIDE ?? '1' },
  ],
  ['thirty kills', 'test/durability/kill.test.ts', { TEST_STORES: 'aws', KILLS: process.env.KILLS ?? '30' }],
  ['one large layer', 'test/aws/large.test.ts', { LARGE_GIB: process.env.LARGE_GIB ?? '12' }],
]

export async function collect(): Promise<string> {
  const rows: string[] = []
  const told: string[] = []
  for (const [what, file, env] of SUITES) {
    const { outcomes, output } = runTests([file], env)
    for (const { sentence, passed, seconds } of outcomes)
      rows.push(`| ${what} | ${sentence} | ${passed ? 'passed' : '**FAILED**'} | ${seconds.toFixed(0)} |`)
    told.push(...(output.match(/^(faults: |answers |\d+ (images|GiB) ).*$/gm) ?? []))
  }
  return [
    'S3 is versitygw, DynamoDB is dynoxide, proxies between them and the registry break what passes. Faults are drawn at random,',
    'one call in twelve.',
    '',
    '| what | test | result | seconds |',
    '|---|---|---|---|',
    ...rows,
    '',
    ...told.map((line) => `- ${line}`),
  ].join('\n')
}
