// Which of Harbor's operations were seen, with which outcome, while every answer was compared with Harbor's own file.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { EXCEPTIONS } from '../harbor/exceptions.ts'
import type { Seen } from '../harbor/heard.ts'
import { OPERATIONS } from '../harbor/swagger.ts'
import { runTests } from '../report.ts'
import { SUITES } from '../suites.ts'
import { findTool } from '../tools.ts'

export const title = 'Harbor’s API'

const root = path.resolve(import.meta.dirname, '../..')

/** The API's own tests, and Harbor's clients where they are installed: all of them are listened to. */
function filesToRun(): string[] {
  const folder = path.join(root, 'test/api')
  const listens = (file: string) =>
    /'\.\/(harbor|management)\.ts'/.test(readFileSync(path.join(folder, file), 'utf8'))
  const api = readdirSync(folder).filter((file) => file.endsWith('.test.ts') && listens(file))
  const clients = SUITES.filter(
    ({ name, needs }) => ['harbor-cli', 'terraform'].includes(name) && needs.every((tool) => findTool(tool)),
  )
  return [...api.map((file) => `test/api/${file}`), ...clients.flatMap(({ files }) => files)]
}

function seenIn(file: string): Seen[] {
  if (!existsSync(file)) return []
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  return lines.map((line) => JSON.parse(line) as Seen)
}

const inHundred = (seen: Seen[], id: string, hundred: number) =>
  [...new Set(seen.filter((each) => each.operation === id).map(({ status }) => status))]
    .filter((status) => Math.floor(status / 100) === hundred)
    .sort()

export async function collect(): Promise<string> {
  const files = filesToRun()
  const directory = mkdtempSync(path.join(tmpdir(), 'entrepot-seen-'))
  const file = path.join(directory, 'seen.jsonl')
  const outcomes = files.length === 0 ? [] : runTests(files, { HARBOR_SEEN: file }).outcomes
  const seen = seenIn(file)
  rmSync(directory, { recursive: true, force: true })
  const failed = outcomes.filter(({ passed }) => !passed)
  return [
    `${outcomes.length - failed.length} tests passed and ${failed.length} failed, from ${files.map((each) => `\`${each}\``).join(', ') || 'no file'}.`,
    'Each answer was compared with the swagger file of Harbor 2.14 (`test/harbor/swagger`): status, headers, body; a field',
    'the file does not have is a failure, one that Harbor always writes must be there. *Missing* is what no test has seen.',
    '',
    ...failed.flatMap(({ file: where, sentence }) => [`**FAILED** ${where}: ${sentence}`, '']),
    ...summary(seen),
    '',
    '| tag | operation | request | 2xx | 4xx |',
    '|---|---|---|---|---|',
    ...OPERATIONS.map((operation) => row(operation, seen)),
    '',
    'Let through although the file does not say so:',
    '',
    ...EXCEPTIONS.map(
      ({ operations, lets, because }) =>
        `- ${operations === '*' ? 'every operation' : operations.join(', ')}, \`${lets.source}\`: ${because}.`,
    ),
  ].join('\n')
}

/** How many operations of each tag were seen. */
function summary(seen: Seen[]): string[] {
  const tags = [...new Set(OPERATIONS.map(({ tag }) => tag))]
  const count = (tag: string | undefined, hundred: number) =>
    OPERATIONS.filter((each) => tag === undefined || each.tag === tag).filter(
      ({ id }) => inHundred(seen, id, hundred).length > 0,
    ).length
  const line = (tag: string | undefined) => {
    const all = OPERATIONS.filter((each) => tag === undefined || each.tag === tag).length
    return `| ${tag ?? '**all**'} | ${all} | ${count(tag, 2)} | ${count(tag, 4)} |`
  }
  return [
    '| tag | operations | seen with 2xx | seen with 4xx |',
    '|---|---|---|---|',
    ...tags.map(line),
    line(undefined),
  ]
}

function row({ id, tag, method, template }: (typeof OPERATIONS)[number], seen: Seen[]): string {
  const good = inHundred(seen, id, 2).join(', ')
  const bad = inHundred(seen, id, 4).join(', ')
  const missing = good === '' && bad === '' ? ' **missing**' : ''
  return `| ${tag} | ${id}${missing} | \`${method} ${template}\` | ${good} | ${bad} |`
}
