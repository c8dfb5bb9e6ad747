// npm run bench: Entrepôt next to docker-registry and zot, on this machine and in one run.
//   npm run bench -- [--quick] [--json] [--only NAME,…]
import { parseArgs } from 'node:util'
import { toolPath } from '../tools.ts'
import { markdown } from './report.ts'
import { runBench, SCENARIOS } from './run-bench.ts'

const names = SCENARIOS.map(({ name }) => name)
const { values } = parseArgs({
  options: { quick: { type: 'boolean' }, json: { type: 'boolean' }, only: { type: 'string' } },
})
const only = values.only?.split(',') ?? []
if (only.some((name) => !names.includes(name))) {
  console.error(`usage: npm run bench -- [--quick] [--json] [--only NAME,…]\nnames: ${names.join(', ')}`)
  process.exit(2)
}
process.env.PATH = toolPath
const report = await runBench({ quick: values.quick ?? false, only, progress: console.error })
console.log(values.json ? JSON.stringify(report, undefined, 2) : markdown(report))
