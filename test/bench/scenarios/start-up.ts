import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import type { Bench, Scenario } from '../bench.ts'
import { freePort, peakMemoryMiB } from '../processes.ts'
import { type Contestant, untilReady } from '../registries.ts'

export const startUp: Scenario = {
  name: 'start',
  title: 'Start-up',
  about: () =>
    'From spawning the process to its first 200 on `/v2/`, asked every 2 ms: on an empty directory, and again on the ' +
    'one it then has. Memory is VmHWM at that moment.',
  run: (bench) =>
    bench.interleave('start-up', bench.sizes.shortRounds, async (contestant) => {
      const dataDir = mkdtempSync(path.join(bench.folder, 'data-'))
      try {
        await startOnce(bench, contestant, dataDir, 'first start')
        await startOnce(bench, contestant, dataDir, 'later start')
      } finally {
        await rm(dataDir, { recursive: true, force: true })
      }
    }),
}

async function startOnce(bench: Bench, contestant: Contestant, dataDir: string, what: string): Promise<void> {
  const port = await freePort()
  const startedAt = performance.now()
  const starting = contestant.start({ dataDir, port })
  await Promise.all([untilReady(`127.0.0.1:${port}`), starting])
  const milliseconds = performance.now() - startedAt
  const running = await starting
  bench.record({ name: what, unit: 'ms', better: 'lower' }, contestant, milliseconds)
  bench.record(
    { name: `${what}: memory`, unit: 'MiB', better: 'lower' },
    contestant,
    peakMemoryMiB(running.pid),
  )
  await running.stop()
}
