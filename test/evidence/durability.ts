// Durability: kills in the middle of pushes, the order of syncs, and that the proof can fail.
import { runTests } from '../report.ts'

export const title = 'Durability'

export async function collect(): Promise<string> {
  const kill = runTests(['test/durability/kill.test.ts'])
  const sync = runTests(['test/durability/sync.test.ts'])
  const sabotaged = runTests(['test/durability/sync.test.ts'], { SABOTAGE: 'no-fsync' })
  const summary = /\d+ images acknowledged[^\n]*/.exec(kill.output)?.[0] ?? ''
  const rows = [...kill.outcomes, ...sync.outcomes].map(
    ({ sentence, passed, seconds }) =>
      `| ${sentence} | ${passed ? 'passed' : '**FAILED**'} | ${seconds.toFixed(1)} |`,
  )
  const red = sabotaged.outcomes.filter((each) => !each.passed).length
  return [
    '| test | result | seconds |',
    '|---|---|---|',
    ...rows,
    '',
    summary,
    '',
    `With the sabotage switch \`no-fsync\` (files say that they are synced and are not) ${red} of ${sabotaged.outcomes.length} strace tests turn red.`,
  ].join('\n')
}
