// Pages of 100 out of long lists.
import { type Bench, load, type Scenario } from '../bench.ts'
import { repositoryName, TAGS_REPOSITORY, tagName } from '../load/jobs.ts'
import type { Contestant, Running } from '../registries.ts'

const SEED_CONNECTIONS = 16

export const tagPages: Scenario = {
  name: 'tags',
  title: 'Tag pages',
  about: ({ tags, seedLimitSeconds }) =>
    `\`tags/list?n=100\`, the first page and one from the middle, of a repository with ${tags.map(thousands).join(' and ')} ` +
    `tags of one manifest; one connection. Tags are put through the API, ${SEED_CONNECTIONS} at once; each step has ` +
    `${seedLimitSeconds} s, and a registry that is not done by then is measured with what it has, as noted.`,
  run: async (bench) => {
    await bench.withAll(async (running) => {
      const seeded = new Map<Contestant, number>(bench.contestants.map((contestant) => [contestant, 0]))
      for (const wanted of bench.sizes.tags) {
        await bench.interleave(`seeding ${thousands(wanted)} tags`, 1, async (contestant) => {
          const from = seeded.get(contestant)!
          const result = await seed(bench, running(contestant), { from, to: wanted })
          seeded.set(contestant, from + result)
        })
        for (const [page, last] of [
          ['first', ''],
          ['middle', `&last=${tagName(wanted >> 1)}`],
        ] as const) {
          const path = `/v2/${TAGS_REPOSITORY}/tags/list?n=100${last}`
          await readPages(bench, `${page} page of ${thousands(wanted)} tags`, running, path)
        }
      }
      bench.note(
        'docker-registry 2.8.2 ignores `n` and `last`: it answers every page with the whole list, unsorted.',
      )
    })
  },
}

export const catalogPages: Scenario = {
  name: 'catalog',
  title: 'Catalog pages',
  about: ({ repositories }) =>
    `\`_catalog?n=100\`, the first page and one from the middle, of ${thousands(repositories)} repositories; one connection.`,
  run: async (bench) => {
    const count = bench.sizes.repositories
    await bench.withAll(async (running) => {
      await bench.interleave(`seeding ${count} repositories`, 1, async (contestant) => {
        const { host } = running(contestant)
        const limits = { connections: SEED_CONNECTIONS, limitSeconds: bench.sizes.seedLimitSeconds }
        const result = await load({ kind: 'repositories', host, count, ...limits })
        if (result.count < count)
          bench.note(`${contestant.name} holds ${result.count} repositories: out of time.`)
      })
      for (const [page, last] of [
        ['first', ''],
        ['middle', `&last=${repositoryName(count >> 1)}`],
      ])
        await readPages(
          bench,
          `${page} page of ${thousands(count)} repositories`,
          running,
          `/v2/_catalog?n=100${last}`,
        )
    })
  },
}

/** @returns tags put */
async function seed(
  bench: Bench,
  running: Running,
  { from, to }: { from: number; to: number },
): Promise<number> {
  const { contestant, host } = running
  const limitSeconds = bench.sizes.seedLimitSeconds
  const result = await load({ kind: 'tags', host, from, to, connections: SEED_CONNECTIONS, limitSeconds })
  const metric = {
    name: `putting tags ${thousands(from)} to ${thousands(to)}`,
    unit: '/s',
    better: 'higher',
  } as const
  bench.record(metric, contestant, result.count / result.seconds)
  if (from + result.count < to)
    bench.note(
      `${contestant.name} had ${thousands(from + result.count)} of ${thousands(to)} tags after ${limitSeconds} s; ` +
        `its pages "of ${thousands(to)} tags" are pages of those.`,
    )
  return result.count
}

async function readPages(
  bench: Bench,
  what: string,
  running: (contestant: Contestant) => Running,
  path: string,
): Promise<void> {
  await bench.interleave(what, bench.sizes.shortRounds, async (contestant) => {
    const result = await load({
      kind: 'read',
      host: running(contestant).host,
      method: 'GET',
      paths: [path],
      connections: 1,
      seconds: bench.sizes.readSeconds,
      warmupSeconds: 0.2,
    })
    bench.record({ name: `${what}: p50`, unit: 'ms', better: 'lower' }, contestant, result.p50Ms)
    bench.record({ name: `${what}: p99`, unit: 'ms', better: 'lower' }, contestant, result.p99Ms)
  })
}

function thousands(value: number): string {
  return value.toLocaleString('en-US')
}
