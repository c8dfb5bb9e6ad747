// A program of its own, so that its memory can be seen: takes a report over from a program like trivy and stores it.
// Arguments: the directory of that program. It prints what became of it, as JSON.
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Digest } from '../../../lib/oci/digest.ts'
import { partitions } from '../../../lib/registry/keys.ts'
import { forgetScan, saveReport } from '../../../lib/scanning/reports.ts'
import { readScan, type Scan, scanItem } from '../../../lib/scanning/scan.ts'
import { securitySummary } from '../../../lib/scanning/security-summary.ts'
import { createTrivy } from '../../../lib/scanning/trivy.ts'
import { testRegistry } from '../../domain/registry.ts'

const directory = process.argv[2]!
const cache = path.join(directory, 'cache')
const digest = `sha256:${'a'.repeat(64)}` as Digest
const where = { repository: 'library/app', repo: 'r', projectId: 'p', digest }
const startedMs = performance.now()

await mkdir(path.join(cache, 'db'), { recursive: true })
await writeFile(path.join(cache, 'db', 'trivy.db'), '')
const trivy = createTrivy(
  {
    ...{ program: path.join(directory, 'trivy'), cache, checks: ['vuln'], timeoutSeconds: 120 },
    ...{ ignoreUnfixed: false, skipUpdate: true, offline: true, insecure: false },
    ...{ databaseRepository: '', javaDatabaseRepository: '' },
  },
  () => false,
)
const report = await trivy.scan(
  {
    ...{ origin: 'http://127.0.0.1:1', repository: where.repository, digest, token: 't' },
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
  },
  { signal: AbortSignal.timeout(120_000), log: () => {} },
)
const registry = await testRegistry()
const scan: Scan = { attempt: 'a', execution: 1, task: 1, begunAtMs: 0, done: false }
await registry.metadata.batchWrite([{ kind: 'put', item: scanItem('r', digest, scan) }])
await saveReport(registry, { ...where, attempt: 'a', tags: [] }, scan, report, 0)
const listed = async () =>
  (await registry.metadata.query({ pk: partitions.vulnerabilities, limit: 100_000 })).length
const after = { listed: await listed(), ...(await securitySummary(registry)) }
await forgetScan(registry, where, await readScan(registry, 'r', digest))
const left = { listed: await listed(), ...(await securitySummary(registry)) }
const memoryMb = Math.round(process.resourceUsage().maxRSS / 1024)
const seconds = (performance.now() - startedMs) / 1000
process.stdout.write(JSON.stringify({ found: report.vulnerabilities.length, after, left, memoryMb, seconds }))
