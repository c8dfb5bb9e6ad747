import { markdown } from '../bench/report.ts'
import { runBench } from '../bench/run-bench.ts'

export const title = 'Speed and memory next to docker-registry and zot'

export async function collect(): Promise<string> {
  // The full sizes take about twenty minutes, the quick ones four; the tables say which they are.
  return markdown(
    await runBench({ quick: process.env.BENCH_QUICK === '1', only: [], progress: console.error }),
  )
}
