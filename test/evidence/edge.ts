// The edge: its functions' sizes and rules, the limits of AWS that the twin has, clients and suites through all of it.
import { viewerRequestCode, viewerResponseCode } from '../../lib/infra/constructs/edge-code.ts'
import { runTests, type TestOutcome } from '../report.ts'
import { SUITES } from '../suites.ts'
import { findTool } from '../tools.ts'

export const title = 'The edge'

const LIMIT_BYTES = 10_240

export async function collect(): Promise<string> {
  const built = {
    'viewer request (router)': viewerRequestCode({ ingest: 'ingest', blobs: 'blobs' }, true),
    'viewer response': viewerResponseCode(),
  }
  const rules = runTests(['test/unit/edge', 'test/property/edge.test.ts']).outcomes
  const suites = SUITES.filter(({ name }) => name.startsWith('twin-')).map((suite) => {
    const missing = suite.needs.filter((tool) => !findTool(tool))
    const outcomes = missing.length > 0 ? [] : runTests(suite.files, suite.env, true).outcomes
    return { name: suite.name, missing, outcomes }
  })
  const limits = suites.flatMap(({ outcomes }) => outcomes).filter(({ file }) => file.includes('limits'))
  const failed = [...rules, ...suites.flatMap(({ outcomes }) => outcomes)].filter(({ passed }) => !passed)
  const count = (outcomes: TestOutcome[]) => {
    const passed = outcomes.filter((each) => each.passed).length
    return `${passed} of ${outcomes.length}`
  }
  return [
    '| function | bytes built | of |',
    '|---|---|---|',
    ...Object.entries(built).map(
      ([name, code]) => `| ${name} | ${Buffer.byteLength(code)} | ${LIMIT_BYTES} |`,
    ),
    '',
    `Decision table and properties (\`test/unit/edge\`, \`test/property/edge.test.ts\`): ${count(rules)} passed.`,
    '',
    '| suite on the twin | passed | files |',
    '|---|---|---|',
    ...suites.map(({ name, missing, outcomes }) => {
      const files = [...new Set(outcomes.map(({ file }) => file.replace(/^test\/|\.test\.ts$/g, '')))]
      return `| ${name} | ${missing.length > 0 ? `needs ${missing.join(', ')}` : count(outcomes)} | ${files.join(', ')} |`
    }),
    '',
    'Each limit below was felt, and was no longer felt when it was switched off:',
    '',
    ...limits.map(
      ({ sentence, passed }) => `- ${sentence.split(': so it is')[0]}${passed ? '' : ' (**FAILED**)'}`,
    ),
    ...(failed.length > 0 ? ['', ...failed.map(({ sentence }) => `- **FAILED** ${sentence}`)] : []),
  ].join('\n')
}
