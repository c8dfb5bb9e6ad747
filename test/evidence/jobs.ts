// Jobs through killed workers, as a process that the jobs' effects reach counted them.
import { runTests } from '../report.ts'

export const title = 'Jobs'

export async function collect(): Promise<string> {
  const files = [
    'test/jobs',
    'test/domain/jobs',
    'test/contract/stored-queue.test.ts',
    'test/aws/queue.test.ts',
  ]
  const { outcomes, output } = runTests(files, {})
  const rows = outcomes.map(
    ({ sentence, passed, seconds }) =>
      `| ${sentence} | ${passed ? 'passed' : '**FAILED**'} | ${seconds.toFixed(1)} |`,
  )
  const told = output.match(/^\d+ jobs, .*$/gm) ?? []
  return [
    'Workers are processes of their own on one table (dynoxide), with queues among its items; the same engine takes its',
    'messages from SQS (MiniStack) where the queue’s tests say so. Killed is SIGKILL, at moments drawn at random.',
    '',
    ...told.map((line) => `- ${line}`),
    '',
    '| test | result | seconds |',
    '|---|---|---|',
    ...rows,
  ].join('\n')
}
