// Runs vitest files and reads its report: evidence is made of what ran, not of what should have.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { toolPath } from './tools.ts'

const root = path.resolve(import.meta.dirname, '..')

/** Files that share what is slow to start, in whichever of them comes first. */
export const TOGETHER = [
  '--no-isolate',
  '--no-file-parallelism',
  '--hook-timeout=300000',
  '--test-timeout=120000',
]

export interface TestOutcome {
  file: string
  sentence: string
  passed: boolean
  seconds: number
}

/** @returns every test that ran, and what the files printed */
export function runTests(
  files: string[],
  env: Record<string, string> = {},
  /** All files in one process, one after another. */
  together = false,
): { outcomes: TestOutcome[]; output: string } {
  const directory = mkdtempSync(path.join(tmpdir(), 'entrepot-report-'))
  const report = path.join(directory, 'report.json')
  const args = [
    'node_modules/vitest/vitest.mjs',
    'run',
    ...files,
    ...(together ? TOGETHER : []),
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
  ]
  const run = spawnSync(process.execPath, args, {
    cwd: root,
    env: { ...process.env, PATH: toolPath, NO_COLOR: '1', ...env },
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as {
    testResults: { name: string; assertionResults: { title: string; status: string; duration?: number }[] }[]
  }
  rmSync(directory, { recursive: true, force: true })
  const outcomes = testResults.flatMap(({ name, assertionResults }) =>
    assertionResults.map(({ title, status, duration }) => ({
      file: path.relative(root, name),
      sentence: title,
      passed: status === 'passed',
      seconds: (duration ?? 0) / 1000,
    })),
  )
  return { outcomes, output: run.stdout }
}
