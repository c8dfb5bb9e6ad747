// What people do all day, each with the calls it makes and the time it takes.
import { randomBytes } from 'node:crypto'
import { type Answer, type Client, digest, MANIFEST } from '../api/client.ts'
import type { StoreProxy } from '../support/store-proxy.ts'

export interface Everyday {
  operation: string
  calls: number
  /** Median over the repetitions. */
  ms: number
}

const REPETITIONS = 9

/** @param name of a repository; @param tag of an image in it */
export async function measureEveryday(
  http: Client,
  proxies: StoreProxy[],
  name: string,
  tag: string,
): Promise<Everyday[]> {
  const rows: Everyday[] = []
  const calls = () => proxies.reduce((sum, proxy) => sum + proxy.calls.length, 0)
  async function measure(
    operation: string,
    run: (round: number) => Promise<Answer | Answer[]>,
  ): Promise<void> {
    const [times, counts]: [number[], number[]] = [[], []]
    await run(-1)
    for (let round = 0; round < REPETITIONS; round++) {
      const [before, startedAt] = [calls(), performance.now()]
      await run(round)
      times.push(performance.now() - startedAt)
      counts.push(calls() - before)
    }
    rows.push({ operation, calls: median(counts), ms: median(times) })
  }
  const ok = async (answer: Promise<Answer>, status = 200): Promise<Answer> => {
    const got = await answer
    if (got.status !== status) throw new Error(`${got.status} instead of ${status}: ${got.body}`)
    return got
  }
  await measure('pull a manifest by tag', () => ok(http('GET', `/v2/${name}/manifests/${tag}`)))
  await measure('a page of 100 tags', () => ok(http('GET', `/v2/${name}/tags/list?n=100&last=${tag}`)))
  await measure('a page of 100 repositories', () => ok(http('GET', `/v2/_catalog?n=100&last=${name}`)))
  await measure('push an image of two blobs', (round) => push(http, name, `pushed-${round}`))
  await measure('delete a tag', (round) => ok(http('DELETE', `/v2/${name}/manifests/pushed-${round}`), 202))
  await measure('move a tag', () => push(http, name, 'moved'))
  return rows
}

async function push(http: Client, name: string, tag: string): Promise<Answer[]> {
  const answers: Answer[] = []
  const [config, layer] = [randomBytes(80), randomBytes(2000)]
  for (const blob of [config, layer]) {
    const started = await http('POST', `/v2/${name}/blobs/uploads/`)
    answers.push(await http('PUT', `${started.headers.location}?digest=${digest(blob)}`, { body: blob }))
  }
  const described = (bytes: Buffer) => ({
    mediaType: 'application/x',
    digest: digest(bytes),
    size: bytes.length,
  })
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: described(config),
    layers: [described(layer)],
  })
  const headers = { 'content-type': MANIFEST }
  answers.push(await http('PUT', `/v2/${name}/manifests/${tag}`, { headers, body }))
  const failed = answers.find(({ status }) => status !== 201)
  if (failed) throw new Error(`push: ${failed.status} ${failed.body}`)
  return answers
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!
}
