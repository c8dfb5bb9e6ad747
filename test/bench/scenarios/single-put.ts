import { rm } from 'node:fs/promises'
import path from 'node:path'
import { load, type Scenario } from '../bench.ts'
import { makeFile } from '../images.ts'
import { bytesText } from '../sizes.ts'

export const singlePut: Scenario = {
  name: 'put',
  title: 'One large blob in one PUT',
  about: ({ putBytes }) =>
    `POST, then PUT of ${bytesText(putBytes)} over one connection, on an empty data directory; timed to the 201.`,
  run: async (bench) => {
    const sizeBytes = bench.sizes.putBytes
    const { file, digest } = await makeFile(path.join(bench.folder, 'blob'), sizeBytes)
    const name = `PUT ${bytesText(sizeBytes)}`
    await bench.interleave(name, bench.sizes.shortRounds, (contestant) =>
      bench.withFresh(contestant, async (running) => {
        const job = {
          kind: 'putFile',
          host: running.host,
          repository: 'bench/put',
          file,
          sizeBytes,
          digest,
        } as const
        const { seconds } = await bench.countingCpu(name, running, () => load(job))
        bench.record({ name, unit: 'MB/s', better: 'higher' }, contestant, sizeBytes / 1e6 / seconds)
      }),
    )
    await rm(file)
  },
}
