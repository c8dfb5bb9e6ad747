import { markdown } from '../bench/report.ts'
import { runBench } from '../bench/run-bench.ts'

export const title = 'Speed and memory next to docker-registry and zot'

export async function collect(): Promise<string> {
  return markdown(await runBench({ quick: false, only: [], progress: console.error }))
}
