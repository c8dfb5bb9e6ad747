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

interface Count {
  passed: number
  failed: number
  skipped: number
}

function vitest({ name, files, env, together }: Omit<Suite, 'needs' | 'when'>): Count {
  mkdirSync(path.join(root, 'reports'), { recursive: true })
  const report = path.join(root, 'reports', `${name}.json`)
  const run = spawnSync(
    process.execPath,
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      ...files,
      ...(together ? TOGETHER : []),
      '--reporter=dot',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ],
    { cwd: root, stdio: 'inherit', env: { ...process.env, PATH: toolPath, ...env } },
  )
  try {
    const json = JSON.parse(readFileSync(report, 'utf8'))
    const failed = json.numFailedTests + (run.status !== 0 && json.numFailedTests === 0 ? 1 : 0)
    return { passed: json.numPassedTests, failed, skipped: json.numPendingTests + json.numTodoTests }
  } catch {
    return { passed: 0, failed: 1, skipped: 0 }
  }
}

function chosen(suite: Suite): boolean {
  if (names.length > 0) return names.some((name) => suite.name === name || suite.name.startsWith(`${name}-`))
  if (mode === 'all') return true
  if (mode === 'ci') return suite.when === 'ci' // `npm test` ran the others just before
  return suite.when === 'default'
}

function runSuites(): Count {
  const total: Count = { passed: 0, failed: 0, skipped: 0 }
  const notes: string[] = []
  const unavailable = unavailableTools()
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
    console.log(`\n== ${suite.name}`)
    const count = vitest(suite)
    total.passed += count.passed
    total.failed += count.failed
    total.skipped += count.skipped
    if (count.failed > 0) notes.push(`${suite.name}: ${count.failed} FAILED`)
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
