import { randomBytes } from 'node:crypto'
import { load, type Scenario } from '../bench.ts'
import * as oci from '../load/oci-client.ts'
import { Connection } from '../load/raw-http.ts'
import { bytesText } from '../sizes.ts'

const REPOSITORY = 'bench/blobs'
const SMALL_BYTES = 4096
const SMALL_CONNECTIONS = 16
const LARGE_CONNECTIONS = 4

export const blobReads: Scenario = {
  name: 'blobs',
  title: 'Blob GET',
  about: ({ largeBlobBytes, readSeconds }) =>
    `4 KiB over ${SMALL_CONNECTIONS} connections and ${bytesText(largeBlobBytes)} over 1 and ${LARGE_CONNECTIONS}, ` +
    `${readSeconds} s each after 0.3 s of warm-up, out of the page cache.`,
  run: async (bench) => {
    const blobs = [SMALL_BYTES, bench.sizes.largeBlobBytes].map((size) => randomBytes(size))
    const [small, large] = blobs.map((blob) => `/v2/${REPOSITORY}/blobs/${oci.digestOf(blob)}`)
    await bench.withAll(async (running) => {
      await bench.interleave('pushing the blobs', 1, async (contestant) => {
        const connection = new Connection(running(contestant).host)
        for (const blob of blobs) await oci.putBlob(connection, REPOSITORY, oci.digestOf(blob), blob)
        connection.close()
      })
      const reads = [
        { path: small!, size: SMALL_BYTES, connections: SMALL_CONNECTIONS },
        { path: large!, size: blobs[1]!.length, connections: 1 },
        { path: large!, size: blobs[1]!.length, connections: LARGE_CONNECTIONS },
      ]
      for (const { path, size, connections } of reads) {
        const what = `GET ${bytesText(size)}, ${connections} conn.`
        await bench.interleave(what, bench.sizes.shortRounds, async (contestant) => {
          const { host } = running(contestant)
          const result = await bench.countingCpuEach(what, running(contestant), () =>
            load({
              kind: 'read',
              host,
              method: 'GET',
              paths: [path],
              connections,
              seconds: bench.sizes.readSeconds,
              warmupSeconds: 0.3,
            }),
          )
          if (size === SMALL_BYTES) {
            bench.record(
              { name: what, unit: 'req/s', better: 'higher' },
              contestant,
              result.count / result.seconds,
            )
            bench.record({ name: `${what}: p99`, unit: 'ms', better: 'lower' }, contestant, result.p99Ms)
          } else {
            const rate = result.bodyBytes / 1e6 / result.seconds
            bench.record({ name: what, unit: 'MB/s', better: 'higher' }, contestant, rate)
          }
        })
      }
    })
  },
}
