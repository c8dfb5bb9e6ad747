// Whole images with skopeo and crane.
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { findTool } from '../../tools.ts'
import type { Bench, Scenario } from '../bench.ts'
import { makeImage } from '../images.ts'
import { runProgram } from '../processes.ts'
import type { Running } from '../registries.ts'
import type { ImageSize } from '../sizes.ts'

interface Client {
  name: string
  push(layout: string, reference: string): Promise<unknown>
  pull(reference: string, target: string): Promise<unknown>
}

const skopeo: Client = {
  name: 'skopeo',
  push: (layout, reference) =>
    runProgram('skopeo', [
      '--insecure-policy',
      'copy',
      '--quiet',
      '--dest-tls-verify=false',
      `oci:${layout}:latest`,
      `docker://${reference}`,
    ]),
  pull: (reference, target) =>
    runProgram('skopeo', [
      '--insecure-policy',
      'copy',
      '--quiet',
      '--src-tls-verify=false',
      `docker://${reference}`,
      `oci:${target}:latest`,
    ]),
}

const crane: Client = {
  name: 'crane',
  push: (layout, reference) => runProgram('crane', ['push', layout, reference]),
  pull: (reference, target) => runProgram('crane', ['pull', '--format=oci', reference, target]),
}

export const pushPull: Scenario = {
  name: 'push-pull',
  title: 'Push and pull of images',
  about: ({ images }) =>
    `${images.map((image) => image.name).join(', ')}, incompressible, with skopeo and crane, from and to OCI layouts. ` +
    'Every push goes to a fresh registry process on an empty data directory; the pull follows on the same one, ' +
    'so what it reads is in the page cache, for all alike.',
  run: async (bench) => {
    const clients = [skopeo, crane].filter(({ name }) => {
      const here = findTool(name) !== undefined
      if (!here) bench.note(`${name}: not installed here (tools/install.sh core)`)
      return here
    })
    for (const image of bench.sizes.images) {
      const layout = await makeImage(bench.folder, image)
      for (const client of clients)
        await bench.interleave(`${image.name} with ${client.name}`, image.rounds, (contestant) =>
          bench.withFresh(contestant, (running) => pushAndPull(bench, { client, image, layout, running })),
        )
      await rm(layout, { recursive: true })
    }
  },
}

interface Step {
  client: Client
  image: ImageSize
  layout: string
  running: Running
}

async function pushAndPull(bench: Bench, { client, image, layout, running }: Step): Promise<void> {
  const reference = `${running.host}/bench/image:latest`
  const timed = async (what: string, work: () => Promise<unknown>) => {
    const name = `${what} ${image.name}, ${client.name}`
    const startedAt = performance.now()
    await bench.countingCpu(name, running, work)
    const seconds = (performance.now() - startedAt) / 1000
    bench.record({ name, unit: 's', better: 'lower' }, running.contestant, seconds)
  }
  await timed('push', () => client.push(layout, reference))
  const target = mkdtempSync(path.join(bench.folder, 'pull-'))
  try {
    await timed('pull', () => client.pull(reference, target))
  } finally {
    await rm(target, { recursive: true, force: true })
  }
}
