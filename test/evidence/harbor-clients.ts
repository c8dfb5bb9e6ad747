// harbor-cli, Harbor's replication adapters and its Terraform provider against the registry: which tests passed, and
// every command that was run.
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { runTests } from '../report.ts'
import { SUITES } from '../suites.ts'
import { findTool, unavailableTools } from '../tools.ts'

export const title = 'Harbor’s own clients'

/** The sources that the tests were written against, as they are. */
const SOURCES: Record<string, string> = {
  'harbor-cli': 'goharbor/harbor-cli at d98afec5a3b9 (after v0.0.26)',
  'harbor-adapter':
    'goharbor/harbor at c50c7ddd6e (2.16 in the making), with test/harbor/adapter/main.go around it',
  terraform: 'goharbor/terraform-provider-harbor at 489db88a3163 (after v3.12.4)',
}

interface Line {
  program: string
  said: string
  code: number
}

export async function collect(): Promise<string> {
  const sections: string[] = []
  for (const { name, files, needs } of SUITES.filter((suite) => suite.name in SOURCES)) {
    const missing = needs.filter((tool) => !findTool(tool))
    const why = missing.every((tool) => unavailableTools().has(tool)) ? 'cannot be had here' : 'not installed'
    if (missing.length > 0) sections.push(`## ${name}\n\nNot run: ${missing.join(', ')} ${why}.`)
    else sections.push(section(name, files, needs))
  }
  const origin =
    'The Go proxy has none of them (`tools/unavailable.json`): they were compiled by hand from the sources named, ' +
    'unmodified. Where they are not on the PATH, their suites are skipped.'
  return [origin, ...sections].join('\n\n')
}

/** What was compiled by hand, and the engine that drives one of them; others only look or prepare. */
const isClient = (program: string) => unavailableTools().has(program) || program === 'tofu'

const sha256 = (program: string) =>
  createHash('sha256')
    .update(readFileSync(findTool(program)!))
    .digest('hex')

function section(name: string, files: string[], programs: string[]): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'entrepot-transcript-'))
  const file = path.join(directory, 'commands.jsonl')
  const { outcomes } = runTests(files, { HARBOR_TRANSCRIPT: file }, true)
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
  rmSync(directory, { recursive: true, force: true })
  const commands = lines.map((line) => JSON.parse(line) as Line).filter(({ program }) => isClient(program))
  const passed = outcomes.filter((each) => each.passed).length
  return [
    `## ${name}`,
    '',
    `${passed} of ${outcomes.length} tests passed. Source: ${SOURCES[name]}. Programs that ran:`,
    '',
    ...programs.filter(isClient).map((program) => `- ${program}, sha256 ${sha256(program)}`),
    '',
    '| test | result |',
    '|---|---|',
    ...outcomes.map((each) => `| ${each.sentence} | ${each.passed ? 'passed' : '**FAILED**'} |`),
    '',
    'What was run, with the exit code of what must be refused:',
    '',
    '```',
    ...commands.map(({ program, said, code }) => `${program} ${said}${code === 0 ? '' : `   # ${code}`}`),
    '```',
  ].join('\n')
}
