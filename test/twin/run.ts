// npm run twin: the whole cloud on this machine, until it is stopped.
import { startTwin } from './twin.ts'

const started = Date.now()
const twin = await startTwin({
  progress: (line) => console.log(`${((Date.now() - started) / 1000).toFixed(0).padStart(4)} s  ${line}`),
})
console.log(`
The twin is at ${twin.url}
  docker login ${twin.host} -u admin -p ${twin.adminPassword}
  its authority: ${twin.authority}
  direct uploads: ${twin.outputs.DirectUploads}; the probe found failing: ${twin.outputs.ProbeFailed}`)
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void twin.stop().then(() => process.exit(0)))
