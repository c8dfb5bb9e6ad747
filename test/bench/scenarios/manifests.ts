import { type Bench, load, type Scenario } from '../bench.ts'
import * as oci from '../load/oci-client.ts'
import { Connection } from '../load/raw-http.ts'
import type { Running } from '../registries.ts'

const REPOSITORY = 'bench/app'
const LAYERS = 8
const ACCEPT = { Accept: 'application/vnd.oci.image.manifest.v1+json' }

export const manifests: Scenario = {
  name: 'manifests',
  title: 'Manifest GET and HEAD',
  about: ({ readConnections, readSeconds }) =>
    `One manifest, by tag and by digest, ${readConnections.join(', ')} connections, ${readSeconds} s each after ` +
    '0.3 s of warm-up.',
  run: async (bench) => {
    await bench.withAll(async (running) => {
      let digest = ''
      await bench.interleave('pushing the image', 1, async (contestant) => {
        digest = await pushOne(running(contestant))
      })
      for (const method of ['GET', 'HEAD'] as const)
        for (const [by, reference] of [
          ['tag', 'latest'],
          ['digest', digest],
        ])
          for (const connections of bench.sizes.readConnections) {
            const what = `${method} by ${by}, ${connections} conn.`
            await bench.interleave(what, bench.sizes.shortRounds, (contestant) =>
              measure(bench, what, running(contestant), {
                method,
                path: `/v2/${REPOSITORY}/manifests/${reference}`,
                connections,
              }),
            )
          }
    })
  },
}

async function measure(
  bench: Bench,
  what: string,
  running: Running,
  { method, path, connections }: { method: 'GET' | 'HEAD'; path: string; connections: number },
): Promise<void> {
  const result = await bench.countingCpuEach(what, running, () =>
    load({
      kind: 'read',
      host: running.host,
      method,
      paths: [path],
      headers: ACCEPT,
      connections,
      seconds: bench.sizes.readSeconds,
      warmupSeconds: 0.3,
    }),
  )
  const { contestant } = running
  bench.record({ name: what, unit: 'req/s', better: 'higher' }, contestant, result.count / result.seconds)
  bench.record({ name: `${what}: p50`, unit: 'ms', better: 'lower' }, contestant, result.p50Ms)
  bench.record({ name: `${what}: p99`, unit: 'ms', better: 'lower' }, contestant, result.p99Ms)
}

/** The same image everywhere, with as many layers as a usual one. */
async function pushOne({ host }: Running): Promise<string> {
  const connection = new Connection(host)
  const layers = Array.from({ length: LAYERS }, (_, index) => Buffer.from(`layer ${index}`))
  const config = oci.configOf(layers[0]!)
  for (const blob of [...layers, config]) await oci.putBlob(connection, REPOSITORY, oci.digestOf(blob), blob)
  const manifest = oci.manifestOf(config, ...layers)
  await oci.putManifest(connection, REPOSITORY, 'latest', manifest)
  connection.close()
  return oci.digestOf(manifest)
}
