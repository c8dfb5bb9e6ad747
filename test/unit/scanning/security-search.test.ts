// The security hub with more rows than a request may read.
import { beforeAll, expect, test } from 'vitest'
import type { Digest } from '../../../lib/oci/digest.ts'
import { keys } from '../../../lib/registry/keys.ts'
import type { MetadataStore, Write } from '../../../lib/registry/ports.ts'
import type { Registry } from '../../../lib/registry/registry.ts'
import type { Vulnerability } from '../../../lib/scanning/report.ts'
import { transactScanTotals } from '../../../lib/scanning/scan-totals.ts'
import { searchSecurity } from '../../../lib/scanning/security-search.ts'
import { dangerousVulnerabilities, securitySummary } from '../../../lib/scanning/security-summary.ts'
import { noteVulnerabilities } from '../../../lib/scanning/vulnerability-rows.ts'
import { testRegistry } from '../../domain/registry.ts'

const ARTIFACTS = 3000
const EVERYWHERE = 8
let registry: Registry
/** Items read since they were last counted. */
let read = 0

const digestOf = (n: number) => `sha256:${String(n).padStart(64, '0')}` as Digest
const vulnerability = (id: string, score: number, more: Partial<Vulnerability> = {}): Vulnerability => ({
  ...{ id, package: 'zlib', version: '1', fix_version: '', severity: 'High', description: '', links: [] },
  artifact_digests: [],
  preferred_cvss: { score_v3: score },
  ...more,
})

/** Eight vulnerabilities that every artifact has, and one that a single one has. */
beforeAll(async () => {
  registry = await testRegistry()
  const found = Array.from({ length: EVERYWHERE }, (_, n) => vulnerability(`CVE-${n}`, 9 - n / 10))
  const rare = vulnerability('CVE-rare', 1, { package: 'rare', severity: 'Low' })
  for (let n = 0; n < ARTIFACTS; n++) {
    const where = {
      repo: `r${n % 50}`,
      repository: `library/r${n % 50}`,
      projectId: 'p',
      digest: digestOf(n),
    }
    const all = n === 0 ? [...found, rare] : found
    await noteVulnerabilities(registry, where, all, new Set())
    const summary = {
      ...{ total: all.length, fixable: 0, severity: 'High' as const },
      counts: { High: found.length, ...(n === 0 ? { Low: 1 } : {}) },
    }
    const attributes = { v: 1, repository: where.repository, summary, atMs: 1 }
    const item = { ...keys.scanned('p', where.repo, where.digest), attributes }
    await transactScanTotals(registry, where, [], undefined, { item, summary })
  }
  registry = { ...registry, metadata: counting(registry.metadata) }
}, 120_000)

function counting(metadata: MetadataStore): MetadataStore {
  return {
    ...metadata,
    get: (key) => metadata.get(key),
    transact: (writes: Write[]) => metadata.transact(writes),
    batchWrite: (writes: Write[]) => metadata.batchWrite(writes),
    scan: () => Promise.reject(new Error('a request reads the whole table')),
    batchGet: async (wanted, options) => {
      read += wanted.length
      return metadata.batchGet(wanted, options)
    },
    query: async (query) => {
      const items = await metadata.query(query)
      read += items.length
      return items
    },
  }
}

async function reads<T>(work: () => Promise<T>): Promise<[T, number]> {
  read = 0
  const result = await work()
  return [result, read]
}

const page = (more: object = {}) => ({ from: 0, size: 10, tuned: false, ...more })

test('the summary is read from a few sums, however many artifacts there are', async () => {
  const [summary, items] = await reads(() => securitySummary(registry))
  expect(summary).toMatchObject({ total: ARTIFACTS * EVERYWHERE + 1, scanned: ARTIFACTS })
  expect(items).toBeLessThanOrEqual(8)
})

test('the first page reads about what it shows, and its total is known', async () => {
  const [found, items] = await reads(() => searchSecurity(registry, {}, page()))
  expect([found.found.length, found.total, found.more]).toEqual([10, ARTIFACTS * EVERYWHERE + 1, true])
  expect(items).toBeLessThan(400)
  const [bySeverity] = await reads(() => searchSecurity(registry, { severity: 'Low' }, page()))
  expect([bySeverity.found.length, bySeverity.total, bySeverity.more]).toEqual([1, 1, false])
})

test('a tuned count ends at 1,000, and is exact below', async () => {
  const [all] = await reads(() => searchSecurity(registry, {}, page({ tuned: true })))
  expect(all.total).toBeUndefined()
  const [some, items] = await reads(() => searchSecurity(registry, { cve: 'CVE-1' }, page({ tuned: true })))
  expect([some.total, some.more, items]).toEqual([undefined, true, 2000])
  const [few] = await reads(() =>
    searchSecurity(registry, { cve: 'CVE-1', repo: 'r7', projectId: 'p' }, page({ tuned: true })),
  )
  expect(few.total).toBe(ARTIFACTS / 50)
})

test('a package that is rare is found without reading those of others', async () => {
  const [found, items] = await reads(() => searchSecurity(registry, { package: 'rare' }, page()))
  expect([found.found.map(({ cve }) => cve), found.total]).toEqual([['CVE-rare'], 1])
  expect(items).toBeLessThan(50)
})

test('what cannot be found in 20,000 rows is refused, and it is said how to narrow it', async () => {
  read = 0
  await expect(searchSecurity(registry, { status: 'never' }, page())).rejects.toThrow(
    '20000 rows were looked at without filling the page: narrow the search with cve_id',
  )
  expect(read).toBeLessThan(22_000)
  await expect(searchSecurity(registry, {}, page({ from: 9995 }))).rejects.toThrow('first 10000')
  const [deep] = await reads(() => searchSecurity(registry, {}, page({ from: 9990 })))
  expect(deep.found).toHaveLength(10)
})

test('one vulnerability in everything does not hide the next ones', async () => {
  const [worst, items] = await reads(() => dangerousVulnerabilities(registry))
  expect(worst[0]).toMatchObject({ cve: 'CVE-0', score: 9 })
  expect(worst.map(({ cve }) => cve)).toEqual(['CVE-0', 'CVE-1', 'CVE-2', 'CVE-3', 'CVE-4'])
  expect(items).toBeLessThan(1000)
})
