// Many small things at once, as a build farm pushes them.
import { type Bench, load, type Scenario } from '../bench.ts'
import type { BlobsJob, ImagesJob } from '../load/jobs.ts'

const CONNECTIONS = 16
const BYTES = 4096

export const smallWrites: Scenario = {
  name: 'small',
  title: 'Small blobs and images',
  about: ({ writeSeconds }) =>
    `${CONNECTIONS} connections for ${writeSeconds} s on an empty data directory. A blob is 4 KiB, POST and PUT. ` +
    'An image is a config and a 4 KiB layer, each HEAD, POST, PATCH, PUT, and then its manifest under a tag of its own.',
  run: async (bench) => {
    const limits = { connections: CONNECTIONS, seconds: bench.sizes.writeSeconds }
    await measure(bench, '4 KiB blobs', (host) => ({ kind: 'blobs', host, sizeBytes: BYTES, ...limits }))
    await measure(bench, 'images', (host) => ({ kind: 'images', host, layerBytes: BYTES, ...limits }))
  },
}

function measure(bench: Bench, what: string, jobFor: (host: string) => BlobsJob | ImagesJob): Promise<void> {
  return bench.interleave(what, bench.sizes.shortRounds, (contestant) =>
    bench.withFresh(contestant, async (running) => {
      const result = await bench.countingCpuEach(what, running, () => load(jobFor(running.host)))
      bench.record({ name: what, unit: '/s', better: 'higher' }, contestant, result.count / result.seconds)
      bench.record({ name: `${what}: p99`, unit: 'ms', better: 'lower' }, contestant, result.p99Ms)
    }),
  )
}
