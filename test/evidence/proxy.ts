// What a hundred cold pulls cost upstream, and what clients see of one that fails.
import { clientOf, digest } from '../api/client.ts'
import { CACHE, openPlace } from '../proxy/place.ts'

export const title = 'Proxy cache'

const CLIENTS = 100
const PROCESSES = 4
const LAYERS = 4
const LAYER_BYTES = 2_000_000

export async function collect(): Promise<string> {
  process.env.TEST_STORES = 'aws'
  const at = await openPlace(PROCESSES, { proxy_fresh_seconds: '0' })
  const image = await at.publish('library/cold:v1', {
    layers: LAYERS,
    layerBytes: LAYER_BYTES,
    compression: 'none',
  })
  const name = `${CACHE}/library/cold`
  const pull = async (each: number): Promise<boolean> => {
    const http = clientOf(at.servers[each % PROCESSES]!.url)
    const manifest = await http('GET', `/v2/${name}/manifests/v1`)
    const blobs = await Promise.all(
      image.blobs.map((blob) => http('GET', `/v2/${name}/blobs/${blob.digest}`)),
    )
    const got = [manifest, ...blobs].map(({ body }) => digest(body))
    return got.join() === [image.digest, ...image.blobs.map((blob) => blob.digest)].join()
  }
  const startedAt = performance.now()
  const right = await Promise.all(Array.from({ length: CLIENTS }, (_, each) => pull(each)))
  const seconds = (performance.now() - startedAt) / 1000
  const counts = [...at.origin.fetched()].map(([path, count]) => `| \`${path}\` | ${count} |`)
  const host = at.servers[0]!.host
  const here = (await at.sh(`crane digest --insecure ${host}/${CACHE}/cold:v1`)).trim()
  const there = (await at.sh(`crane digest --insecure ${at.origin.host}/library/cold:v1`)).trim()
  const failures = await failing(at)
  await at.close()
  return [
    `${CLIENTS} clients pull one image of ${LAYERS} layers of ${LAYER_BYTES / 1e6} MB at once, cold, through ${PROCESSES} processes on one`,
    'table and bucket (stand-ins). The upstream is docker-registry behind the imitation of Docker Hub (`test/support/docker-hub.ts`).',
    '',
    `- whole and right: ${right.filter(Boolean).length} of ${CLIENTS}, in ${seconds.toFixed(1)} s`,
    `- digest by \`crane digest\`: ${here === there ? 'the same' : 'DIFFERENT'} here and upstream (\`${here}\`)`,
    '',
    "GETs by docker-registry's own access log:",
    '',
    '| path | GETs |',
    '|---|---|',
    ...counts,
    '',
    'With `SABOTAGE=proxy-lease` (nobody looks whether another process fetches already) each is fetched by every process,',
    'and the test is red.',
    '',
    'An upstream that fails, as a client sees it:',
    '',
    '| upstream | cached | not cached |',
    '|---|---|---|',
    ...failures,
  ].join('\n')
}

async function failing(at: Awaited<ReturnType<typeof openPlace>>): Promise<string[]> {
  const [server] = at.servers
  const http = clientOf(server!.url)
  const rows: string[] = []
  for (const [each, fault] of [
    { status: 404 },
    { status: 401 },
    { status: 429, headers: { 'retry-after': '60' } },
    { status: 503 },
  ].entries()) {
    const [cached, absent] = [`library/cached${each}`, `library/absent${each}`]
    await at.publish(`${cached}:v1`, { layers: 1, layerBytes: 1000 })
    await http('GET', `/v2/${CACHE}/${cached}/manifests/v1`)
    const mend = at.hub.break(/\/manifests\//, { kind: 'status', ...fault })
    const told = async (repository: string) => {
      const { status, headers, code } = await http('GET', `/v2/${CACHE}/${repository}/manifests/v1`)
      const retry = headers['retry-after'] ? `, Retry-After ${headers['retry-after']}` : ''
      return `${status}${code ? ` ${code}` : ''}${headers.warning ? ', marked stale' : ''}${retry}`
    }
    rows.push(`| ${fault.status} | ${await told(cached)} | ${await told(absent)} |`)
    mend()
  }
  return rows
}
