// npm test: runs suites one after another and ends with what was skipped and why.
//   node test/run.ts              the suites that need nothing but Node
//   node test/run.ts --ci         what CI adds to those: every further suite whose tools are here
//   node test/run.ts --all        every suite; a missing tool that tools/unavailable.json does not list fails
//   node test/run.ts --sabotage   each proof with its sabotage switch on: every one must turn red
//   node test/run.ts NAME …       only these suites
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { TOGETHER } from './report.ts'
import { SABOTAGES } from './sabotages.ts'
import { SUITES, type Suite } from './suites.ts'
import { findTool, toolPath, unavailableTools } from './tools.ts'

const root = path.resolve(import.meta.dirname, '..')
const args = process.argv.slice(2)
const names = args.filter((arg) => !arg.startsWith('--'))
const mode = args.includes('--all') ? 'all' : args.includes('--ci') ? 'ci' : 'default'

/** Code that was compiled once, for the many programs that tests start: it halves their start. */
const NODE_COMPILE_CACHE = path.join(root, 'node_modules/.cache/compiled')

interface Count {
  passed: number
  failed: number
  skipped: number
}

interface Report {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  numTodoTests: number
  testResults: { name: string; status: string }[]
}

interface Run extends Omit<Suite, 'needs' | 'when'> {
  /** Files of one worker share what they import. */
  shared?: boolean
}

interface Ran extends Count {
  /** Files with a test that failed, or that could not be run. */
  red: string[]
}

function vitest({ name, files, env, together, shared }: Run): Ran {
  mkdirSync(path.join(root, 'reports'), { recursive: true })
  const report = path.join(root, 'reports', `${name}.json`)
  const run = spawnSync(
    process.execPath,
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      ...files,
      ...(together ? TOGETHER : []),
      ...(shared ? ['--no-isolate'] : []),
      '--reporter=dot',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ],
    { cwd: root, stdio: 'inherit', env: { ...process.env, PATH: toolPath, NODE_COMPILE_CACHE, ...env } },
  )
  try {
    const json: Report = JSON.parse(readFileSync(report, 'utf8'))
    const red = json.testResults.filter(({ status }) => status !== 'passed').map((each) => each.name)
    const failed = json.numFailedTests + (run.status !== 0 && json.numFailedTests === 0 ? 1 : 0)
    return { passed: json.numPassedTests, failed, skipped: json.numPendingTests + json.numTodoTests, red }
  } catch {
    return { passed: 0, failed: 1, skipped: 0, red: files }
  }
}

function chosen(suite: Suite): boolean {
  if (names.length > 0) return names.some((name) => suite.name === name || suite.name.startsWith(`${name}-`))
  if (mode === 'all') return true
  if (mode === 'ci') return suite.when === 'ci' // `npm test` ran the others just before
  return suite.when === 'default'
}

/** Their tests put other modules in the place of ours. */
const ISOLATED = ['unit']

/** Those of `npm test` in one run, so that no core waits for the last file of each, and what files import is read once. */
function batched(suites: Suite[]): Run[] {
  const isPlain = ({ name, when, env }: Suite) => when === 'default' && !env && !ISOLATED.includes(name)
  const plain = suites.filter(isPlain)
  if (mode !== 'default' || names.length > 0 || plain.length === 0) return suites
  const files = plain.flatMap((suite) => suite.files)
  return [...suites.filter((suite) => !isPlain(suite)), { name: 'default', files, shared: true }]
}

function runSuites(): Count {
  const total: Count = { passed: 0, failed: 0, skipped: 0 }
  const notes: string[] = []
  const unavailable = unavailableTools()
  const runnable: Suite[] = []
  for (const suite of SUITES.filter(chosen)) {
    const missing = suite.needs.filter((tool) => !findTool(tool))
    if (missing.length > 0) {
      const impossible = missing.every((tool) => unavailable.has(tool))
      total.skipped += 1
      if (impossible)
        notes.push(`${suite.name}: not possible here (${missing.join(', ')}: see tools/unavailable.json)`)
      else notes.push(`${suite.name}: needs ${missing.join(', ')} (tools/install.sh core|all)`)
      if ((mode === 'all' || names.length > 0) && !impossible) total.failed += 1
      continue
    }
    runnable.push(suite)
  }
  for (const suite of batched(runnable)) {
    console.log(`\n== ${suite.name}`)
    const { red, ...count } = vitest(suite)
    total.passed += count.passed
    total.failed += count.failed
    total.skipped += count.skipped
    if (count.failed > 0) notes.push(`${suite.name}: ${count.failed} FAILED (${red.join(', ')})`)
  }
  for (const suite of SUITES.filter((each) => !chosen(each))) {
    if (names.length > 0) continue
    const missing = suite.needs.filter((tool) => !findTool(tool))
    notes.push(
      `${suite.name}: not in this run${missing.length > 0 ? `, needs ${missing.join(', ')}` : ''} (npm run test:all)`,
    )
  }
  if (notes.length > 0)
    console.log(`\nSuites not run or red:\n${notes.map((note) => `  - ${note}`).join('\n')}`)
  return total
}

/** Each sabotage must make its proof fail; one that stays green is itself the failure. */
function runSabotages(): Count {
  const total: Count = { passed: 0, failed: 0, skipped: 0 }
  for (const sabotage of SABOTAGES.filter((each) => names.length === 0 || names.includes(each.name))) {
    const missing = sabotage.needs.filter((tool) => !findTool(tool))
    if (missing.length > 0) {
      total.skipped += 1
      console.log(`sabotage ${sabotage.name}: skipped, needs ${missing.join(', ')}`)
      continue
    }
    const count = vitest({
      name: `sabotage-${sabotage.name}`,
      files: sabotage.files,
      env: { ...sabotage.env, SABOTAGE: sabotage.name },
      together: sabotage.together ?? false,
    })
    const red = count.failed > 0
    console.log(
      `sabotage ${sabotage.name}: ${red ? 'turned its proof red, as it must' : 'THE PROOF STAYED GREEN'}`,
    )
    if (red) total.passed += 1
    else total.failed += 1
  }
  return total
}

const total = args.includes('--sabotage') ? runSabotages() : runSuites()
console.log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`)
process.exitCode = total.failed > 0 ? 1 : 0
