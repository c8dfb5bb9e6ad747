// Planning a replication: whatever a rule matches, a page of it at a time.
import { beforeEach, expect, test } from 'vitest'
import type { JobContext, TaskSpec } from '../../lib/jobs/kinds.ts'
import type { Attributes } from '../../lib/registry/ports.ts'
import type { Source } from '../../lib/replication/place.ts'
import { plan } from '../../lib/replication/plan.ts'
import type { ReplicationPolicy } from '../../lib/replication/policy.ts'

interface Planning {
  context: JobContext
  added: TaskSpec[][]
  saved: Attributes
  logged: string[]
}

/** @param failAt the call of `add` that fails, from 1 */
function planning(state: Attributes = {}, failAt = 0): Planning {
  const at: Planning = { added: [], saved: state, logged: [], context: undefined as unknown as JobContext }
  at.context = {
    task: { state },
    signal: new AbortController().signal,
    log: (line: string) => at.logged.push(line),
    show: () => {},
    save: async (saved: Attributes) => {
      at.saved = saved
    },
    add: async (tasks: TaskSpec[]) => {
      if (at.added.length + 1 === failAt) throw new Error('the process dies here')
      at.added.push(tasks)
    },
  } as unknown as JobContext
  return at
}

const sourceOf = (repositories: number, tags: number): { source: Source; asked: string[] } => {
  const asked: string[] = []
  const pages = async function* (count: number, name: (at: number) => string) {
    for (let at = 0; at < count; at += 1000)
      yield Array.from({ length: Math.min(1000, count - at) }, (_, index) => name(at + index))
  }
  const source = {
    name: 'a source',
    repositories: () => pages(repositories, (at) => `library/r${String(at).padStart(6, '0')}`),
    tags: (repository: string) => {
      asked.push(repository)
      return pages(tags, (at) => `t${at}`)
    },
    untagged: () => pages(0, String),
  } as unknown as Source
  return { source, asked }
}

let policy: ReplicationPolicy
beforeEach(() => {
  policy = { registryId: 1, namespace: '', replaceCount: -1, filters: [] } as unknown as ReplicationPolicy
})

test('100,000 tags of one repository become tasks in pages of a hundred', async () => {
  const at = planning()
  await plan(at.context, policy, sourceOf(1, 100_000).source)
  expect(at.added.flat()).toHaveLength(100_000)
  expect(Math.max(...at.added.map(({ length }) => length))).toBe(100)
  expect(at.added[0]![0]).toMatchObject({
    payload: { do: 'copy', repository: 'library/r000000', reference: 't0' },
    target: 'registry-1',
  })
})

test('of a catalog of 100,000 repositories only those that match are asked for tags', async () => {
  const at = planning()
  const { source, asked } = sourceOf(100_000, 1)
  await plan(
    at.context,
    { ...policy, filters: [{ type: 'name', value: 'library/r00000?', decoration: '' }] },
    source,
  )
  expect([asked.length, at.added.flat().length]).toEqual([10, 10])
})

test('a plan whose process died goes on behind what is planned already', async () => {
  const first = planning({}, 8)
  const { source } = sourceOf(3, 500)
  await expect(plan(first.context, policy, source)).rejects.toThrow('dies')
  const second = planning(first.saved)
  await plan(second.context, policy, source)
  const planned = [...first.added, ...second.added]
    .flat()
    .map(({ payload }) => `${payload.repository}:${payload.reference}`)
  expect(planned).toHaveLength(1500)
  expect(new Set(planned).size).toBe(1500)
})

test('a repository that has no name at the destination holds up no other', async () => {
  const at = planning()
  const deep = { ...policy, namespace: 'n', replaceCount: 2 }
  const { source } = sourceOf(2, 1)
  await plan(at.context, deep, source)
  expect(at.added).toEqual([])
  expect(at.logged.filter((line) => line.startsWith('skipped'))).toHaveLength(2)
})
