import { load, type Scenario } from '../bench.ts'
import { peakMemoryMiB } from '../processes.ts'
import { bytesText } from '../sizes.ts'

export const uploadMemory: Scenario = {
  name: 'memory',
  title: 'Memory under large uploads',
  about: ({ uploads }) =>
    `Growth of the registry process's VmHWM while ${uploads.count} uploads of ${bytesText(uploads.sizeBytes)} run at ` +
    'once, against VmHWM when it was ready: as one PATCH stream without a length, and as PATCHes of ' +
    `${bytesText(uploads.chunkBytes)} with Content-Range. One round; a fresh process for each.`,
  run: async (bench) => {
    const { count, sizeBytes, chunkBytes } = bench.sizes.uploads
    const uploads = `${count} x ${bytesText(sizeBytes)}`
    for (const [what, chunks] of [
      [`${uploads}, streamed`, {}],
      [`${uploads}, Content-Range`, { chunkBytes }],
    ] as const)
      await bench.interleave(what, 1, (contestant) =>
        bench.withFresh(contestant, async (running) => {
          const before = peakMemoryMiB(running.pid)
          const { seconds } = await bench.countingCpu(what, running, () =>
            load({ kind: 'uploads', host: running.host, count, sizeBytes, ...chunks }),
          )
          const after = peakMemoryMiB(running.pid)
          bench.record({ name: `${what}: VmHWM before`, unit: 'MiB', better: 'lower' }, contestant, before)
          bench.record(
            { name: `${what}: VmHWM growth`, unit: 'MiB', better: 'lower' },
            contestant,
            after - before,
          )
          const rate = (count * sizeBytes) / 1e6 / seconds
          bench.record({ name: `${what}: rate`, unit: 'MB/s', better: 'higher' }, contestant, rate)
        }),
      )
  },
}
