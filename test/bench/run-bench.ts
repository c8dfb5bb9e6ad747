// Runs the chosen scenarios against every registry this machine has.
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Bench, type Scenario } from './bench.ts'
import { loadAverage } from './processes.ts'
import { contestants } from './registries.ts'
import type { Report, ScenarioResult } from './report.ts'
import { blobReads } from './scenarios/blob-reads.ts'
import { flushes } from './scenarios/flushes.ts'
import { catalogPages, tagPages } from './scenarios/lists.ts'
import { manifests } from './scenarios/manifests.ts'
import { pushPull } from './scenarios/push-pull.ts'
import { singlePut } from './scenarios/single-put.ts'
import { smallWrites } from './scenarios/small-writes.ts'
import { startUp } from './scenarios/start-up.ts'
import { uploadMemory } from './scenarios/upload-memory.ts'
import { FULL, QUICK } from './sizes.ts'

export const SCENARIOS: Scenario[] = [
  pushPull,
  singlePut,
  smallWrites,
  manifests,
  blobReads,
  tagPages,
  catalogPages,
  startUp,
  uploadMemory,
  flushes,
]

export interface RunOptions {
  quick: boolean
  /** Names of scenarios; all when empty. */
  only: string[]
  progress(line: string): void
}

export async function runBench({ quick, only, progress }: RunOptions): Promise<Report> {
  const { here, absent } = contestants()
  const sizes = quick ? QUICK : FULL
  const report: Report = {
    quick,
    startedAt: new Date().toISOString(),
    loadAverage: loadAverage(),
    registries: [],
    absent,
    scenarios: [],
  }
  for (const { name, version, settings } of here)
    report.registries.push({ name, version: await version(), settings })
  const folder = mkdtempSync(path.join(tmpdir(), 'entrepot-bench-'))
  try {
    for (const scenario of SCENARIOS.filter(({ name }) => only.length === 0 || only.includes(name))) {
      progress(`${scenario.name} …`)
      const result = await runScenario(scenario, new Bench(here, sizes, folder))
      report.scenarios.push(result)
      progress(`${scenario.name}: ${result.seconds.toFixed(0)} s`)
      for (const note of result.notes) progress(`  ${note}`)
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  return report
}

async function runScenario(scenario: Scenario, bench: Bench): Promise<ScenarioResult> {
  const startedAt = performance.now()
  try {
    await scenario.run(bench)
  } catch (error) {
    bench.note(`This scenario broke off: ${(error as Error).message}`)
  }
  const { name, title } = scenario
  const seconds = (performance.now() - startedAt) / 1000
  return { name, title, about: scenario.about(bench.sizes), rows: bench.rows, notes: bench.notes, seconds }
}
