// The result as Markdown: one table per scenario.
import type { Row } from './bench.ts'
import { median, readable, spread } from './statistics.ts'

export interface ScenarioResult {
  name: string
  title: string
  about: string
  rows: Row[]
  notes: string[]
  seconds: number
}

export interface Report {
  quick: boolean
  startedAt: string
  /** One minute load average when it began: other work on the machine. */
  loadAverage: string
  registries: { name: string; version: string; settings: string }[]
  absent: string[]
  scenarios: ScenarioResult[]
}

export function markdown(report: Report): string {
  const names = report.registries.map(({ name }) => name)
  return [
    ...intro(report),
    ...report.registries.map(({ name, version, settings }) => `- **${name}** (${version}): ${settings}.`),
    ...report.absent.map((line) => `- ${line}`),
    '',
    ...report.scenarios.flatMap((scenario) => section(scenario, names)),
  ].join('\n')
}

function intro(report: Report): string[] {
  return [
    ...(report.quick
      ? ['**A quick run: smaller sizes and fewer rounds than the comparison is about.**', '']
      : []),
    'All on one machine and in one run, round by round in turn; registry, client and load generator share its ' +
      'cores. Each cell is the median [minimum–maximum]. A ratio says how many times better Entrepôt did than ' +
      'that peer: above 1 it was faster (or smaller), below 1 slower. Reads come out of the page cache and writes ' +
      'go into it, for all alike; what each flushes before it answers is in the last section. Where the machine is ' +
      'shared, processor time is steadier than the clock. Plain HTTP on ' +
      'loopback, no login, own data directories on one filesystem.',
    '',
    `Started ${report.startedAt}, load average then ${report.loadAverage}.`,
    '',
  ]
}

function section(scenario: ScenarioResult, names: string[]): string[] {
  const [ours, ...peers] = names
  return [
    `## ${scenario.title}`,
    '',
    scenario.about,
    '',
    ...(scenario.rows.length === 0
      ? []
      : [
          `| | ${names.join(' | ')} | ${peers.map((peer) => `against ${peer}`).join(' | ')} |`,
          `|---|${'---:|'.repeat(names.length + peers.length)}`,
          ...measureFirst(scenario.rows).map((row) => line(row, ours!, peers)),
          '',
        ]),
    ...scenario.notes.map((note) => `- ${note}`),
    ...(scenario.notes.length > 0 ? [''] : []),
  ]
}

/** What was measured, then what is said about it (`…: p99`, `…: registry CPU`). */
function measureFirst(rows: Row[]): Row[] {
  const subject = (row: Row) => row.name.split(': ')[0]!
  const groups = Map.groupBy(rows, subject)
  return [...groups.values()].flatMap((group) =>
    group.toSorted((a, b) => Number(b.name === subject(b)) - Number(a.name === subject(a))),
  )
}

function line(row: Row, ours: string, peers: string[]): string {
  const cells = [ours, ...peers].map((name) => {
    const values = row.samples[name]
    return values ? spread(values) : '—'
  })
  const ratios = peers.map((peer) => {
    const value = ratio(row, ours, peer)
    return value === undefined ? '—' : `${readable(value)}x`
  })
  return `| ${[`${row.name}, ${row.unit}`, ...cells, ...ratios].join(' | ')} |`
}

/** Above 1: Entrepôt did better. */
function ratio(row: Row, ours: string, peer: string): number | undefined {
  const [a, b] = [row.samples[ours], row.samples[peer]]
  if (!a || !b) return undefined
  const [our, their] = [median(a), median(b)]
  const value = row.better === 'higher' ? our / their : their / our
  return Number.isFinite(value) ? value : undefined
}
