// Replication: its proofs, seconds from a push to its arrival by event, and MB/s beside `skopeo sync`.
import { openPlace, type Place } from '../replication/place.ts'
import { runTests } from '../report.ts'
import { SUITES } from '../suites.ts'
import { findTool } from '../tools.ts'

export const title = 'Replication'

const PUSHES = 10
const IMAGES = 3
const LAYERS = 3
const LAYER_BYTES = 20_000_000
const RUNS = 3
const OTHERS = ['entrepot', 'docker-registry'] as const

export async function collect(): Promise<string> {
  const suite = SUITES.find(({ name }) => name === 'replication')!
  const missing = suite.needs.filter((tool) => !findTool(tool))
  if (missing.length > 0) return `Not run: ${missing.join(', ')} missing.`
  const { outcomes } = runTests(suite.files)
  const failed = outcomes.filter(({ passed }) => !passed)
  const measured: string[] = []
  for (const other of OTHERS) measured.push(...(await measure(other)))
  return [
    `${outcomes.length - failed.length} tests passed and ${failed.length} failed (\`npm run test:replication\`).`,
    '',
    ...outcomes.map(({ passed, sentence }) => `- ${passed ? '' : '**FAILED** '}${sentence}`),
    '',
    '## Measured',
    '',
    `From this registry to the other, both on this machine, in front of the other a proxy that logs. Arrival: ${PUSHES} pushes`,
    'of one small image each by skopeo, counted from the end of the push until the other registry answers the tag, looked for',
    `every 10 ms. Throughput: ${IMAGES} images of ${LAYERS} layers of ${LAYER_BYTES / 1e6} MB that nothing can compress, from the`,
    `call that starts the rule to the end of its execution; the best of ${RUNS} runs. skopeo`,
    'copies the same images one after the other, as it does. Each run has images of its own, so that nobody mounts.',
    '',
    '| to | arrival, median | arrival, longest | this rule | `skopeo sync` |',
    '|---|---|---|---|---|',
    ...measured,
  ].join('\n')
}

async function measure(other: (typeof OTHERS)[number]): Promise<string[]> {
  const at = await openPlace(other)
  try {
    const arrivals = await arrivalsAt(at)
    const [rule, skopeo] = await throughputOf(at)
    const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`
    const rate = (bytesPerMs: number) => `${(bytesPerMs / 1000).toFixed(0)} MB/s`
    return [
      `| ${other === 'entrepot' ? 'Entrepôt' : other} | ${seconds(arrivals[PUSHES / 2]!)} | ${seconds(arrivals.at(-1)!)} | ${rate(rule)} | ${rate(skopeo)} |`,
    ]
  } finally {
    await at.close()
  }
}

async function arrivalsAt(at: Place): Promise<number[]> {
  await at.makeRule({
    trigger: { type: 'event_based' },
    filters: [{ type: 'name', value: 'library/event-*' }],
  })
  const times: number[] = []
  for (let push = 0; push < PUSHES; push++) {
    const image = await at.image(`event-${push}`, { layers: 1, layerBytes: 10_000 })
    await at.push(image, `${at.server.host}/library/event-${push}:v1`)
    const begun = performance.now()
    while ((await statusOf(`${at.front.url}/v2/library/event-${push}/manifests/v1`)) !== 200)
      await new Promise((resolve) => setTimeout(resolve, 10))
    times.push(performance.now() - begun)
  }
  return times.sort((one, another) => one - another)
}

async function statusOf(url: string): Promise<number> {
  const accept = 'application/vnd.oci.image.manifest.v1+json'
  const answer = await fetch(url, { method: 'HEAD', headers: { accept } })
  return answer.status
}

/** Bytes a millisecond: of the rule, and of skopeo. */
async function throughputOf(at: Place): Promise<[number, number]> {
  const rates: [number[], number[]] = [[], []]
  for (let run = 0; run < RUNS; run++) {
    let bytes = 0
    const names = Array.from({ length: IMAGES }, (_, number) => `image-${run}-${number}`)
    for (const name of names) {
      const image = await at.image(name, { layers: LAYERS, layerBytes: LAYER_BYTES })
      bytes += image.layerBytes
      await at.push(image, `${at.server.host}/bulk/${name}:v1`)
    }
    const filters = [{ type: 'name', value: `bulk/image-${run}-*` }]
    const rule = await at.makeRule({ filters, dest_namespace: 'by-rule' })
    rates[0].push(bytes / (await took(() => at.run(rule))))
    const images = names.map((name) => `    bulk/${name}: ["v1"]`).join('\n')
    const yaml = `${at.server.host}:\n  tls-verify: false\n  images:\n${images}\n`
    await at.sh(`cat > sync.yaml <<'END'\n${yaml}END`)
    const command = `skopeo sync --src yaml --dest docker --src-tls-verify=false --dest-tls-verify=false sync.yaml ${at.front.host}/by-skopeo >/dev/null 2>&1`
    rates[1].push(bytes / (await took(() => at.sh(command))))
  }
  return [Math.max(...rates[0]), Math.max(...rates[1])]
}

async function took(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now()
  await work()
  return performance.now() - begun
}
