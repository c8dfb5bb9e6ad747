// How long 10,000 stored bills of materials take against a newer database: in one process, on files, with the real trivy.
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Execution, Task } from '../../lib/jobs/execution.ts'
import { openData } from '../../lib/local/open-data.ts'
import type { Digest } from '../../lib/oci/digest.ts'
import { keys } from '../../lib/registry/keys.ts'
import type { Write } from '../../lib/registry/ports.ts'
import { createProject } from '../../lib/registry/projects.ts'
import { DEFAULT_SETTINGS, type Registry, SYSTEM } from '../../lib/registry/registry.ts'
import type { Bill } from '../../lib/sbom/bill.ts'
import { listWrites } from '../../lib/sbom/package-lists.ts'
import { rematch } from '../../lib/sbom/rematch.ts'
import type { Scanning } from '../../lib/scanning/job.ts'
import { type Scan, scanItem } from '../../lib/scanning/scan.ts'
import { trivyDescriber } from '../../lib/scanning/trivy-sbom.ts'
import { ALPINE, packageName, THREE } from '../scanning/advisories.ts'
import { buildDatabase } from '../scanning/database.ts'

export const title = 'New vulnerabilities against stored bills of materials'

const IMAGES = 10_000
const PACKAGES = 150
/** Different names of packages, each in a few versions: as many as a distribution has in use. */
const NAMES = 2000
const VERSIONS = 5
/** Every so many images have a package that the newer database knows something of. */
const EVERY = 100

export async function collect(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'entrepot-rematch-'))
  const stores = await openData(path.join(directory, 'data'), DEFAULT_SETTINGS)
  const { registry } = stores
  try {
    const seeded = await seconds(() => seed(registry))
    const cache = path.join(directory, 'trivy')
    const run = async (name: string, database: Parameters<typeof buildDatabase>[1]) => {
      const { directory: made } = await buildDatabase(directory, database)
      await rm(path.join(cache, 'db'), { recursive: true, force: true })
      await cp(made, path.join(cache, 'db'), { recursive: true })
      const lines: string[] = []
      const took = await seconds(() => matchOnce(registry, cache, lines))
      const [read] = lines.filter((line) => line.includes('different packages'))
      const [renewed] = lines.filter((line) => line.includes('reports are new'))
      const runs = lines.filter((line) => line.startsWith('trivy sbom')).length
      return `| ${name} | ${took.toFixed(1)} | ${runs} | ${read}; ${renewed} |`
    }
    const rows = [
      await run('a newer database that knows nothing new of them', {
        advisories: THREE,
        metadata: at('2026-02-02'),
      }),
      await run(`a newer one that knows of a package in every ${EVERY}th`, {
        advisories: [...THREE, ADVISORY],
        metadata: at('2026-02-03'),
      }),
    ]
    return [
      `${IMAGES.toLocaleString('en')} images with ${PACKAGES} packages each, all images different, out of ${(NAMES * VERSIONS).toLocaleString('en')} versions of packages of one`,
      'release of Alpine; one process, SQLite and files, the real trivy with a database of trivy-db’s own making from a handful of',
      `advisories (matching against a whole database takes trivy longer to open, not seen here). Writing the lists took ${seeded.toFixed(0)} s; the rows that blast-radius reads are left out, nobody reads them here.`,
      '',
      '| what | seconds | runs of trivy | said |',
      '| --- | --- | --- | --- |',
      ...rows,
      '',
      'Nothing of the images is there but their lists of packages: no manifest, config or layer could have been read.',
      'In test/scanning/rematch.test.ts the server’s log shows the same of images that are there, and the reports are compared with',
      'trivy’s by hand, field by field.',
    ].join('\n')
  } finally {
    await stores.close()
    await rm(directory, { recursive: true, force: true })
  }
}

const ADVISORY = {
  id: 'CVE-2099-9999',
  package: packageName(0),
  in: 'alpine' as const,
  fixed: '1.0.1-r0',
  severity: 'HIGH' as const,
  description: 'Known since this morning.',
}
const at = (day: string) => ({ UpdatedAt: `${day}T00:00:00Z` })

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return (performance.now() - startedAt) / 1000
}

async function seed(registry: Registry): Promise<void> {
  const project = await createProject(registry, 'team', {}, SYSTEM)
  let writes: Write[] = []
  for (let image = 0; image < IMAGES; image++) {
    const digest = `sha256:${image.toString(16).padStart(64, '0')}` as Digest
    const repo = `repository${Math.floor(image / 100)}`
    const list = {
      projectId: project.id,
      repo,
      repository: `team/app-${repo}`,
      holder: digest,
      image: digest,
    }
    writes.push(
      ...(await listWrites(list, billOf(image))),
      // A manifest as far as it is looked at: whether it is there; and a scan that found nothing.
      { kind: 'put', item: { ...keys.manifest(repo, digest), attributes: { v: 1 } } },
      { kind: 'put', item: scanItem(repo, digest, SCANNED) },
    )
    if (writes.length < 400 && image < IMAGES - 1) continue
    await registry.metadata.batchWrite(writes)
    writes = []
  }
}

const SCANNED = {
  ...{ attempt: 'seed', execution: 0, task: 0, begunAtMs: 0, done: true },
  found: {
    scanner: { name: 'Trivy', vendor: 'Aqua Security', version: '0.72.0' },
    ...{ databaseAtMs: Date.parse('2026-01-01'), startedAtMs: 0, endedAtMs: 0, findings: 0, object: 'none' },
    summary: { total: 0, fixable: 0, counts: {}, severity: 'None' },
  },
} satisfies Scan

function billOf(image: number): Bill {
  const packages = Array.from({ length: PACKAGES }, (_, index) => {
    // Images that are far apart have different packages, neighbours share most.
    const number = (image * 13 + index * 7) % NAMES
    const affected = index === 0 && image % EVERY === 0
    const name = affected ? packageName(0) : `ware-${number}`
    const version = affected ? '1.0.0-r0' : `1.${(image + index) % VERSIONS}.0-r0`
    const purl = `pkg:apk/alpine/${name}@${version}?arch=x86_64&distro=${ALPINE}.0`
    return {
      name,
      version,
      purl,
      type: 'apk',
      namespace: 'alpine',
      kind: 'alpine',
      source: name,
      sourceVersion: version,
    }
  })
  return { system: { name: 'alpine', version: `${ALPINE}.0` }, packages }
}

async function matchOnce(registry: Registry, cache: string, lines: string[]): Promise<void> {
  const settings = {
    ...{ program: 'trivy', cache, checks: ['vuln'], ignoreUnfixed: false, skipUpdate: true, offline: true },
    ...{ timeoutSeconds: 600, databaseRepository: '', javaDatabaseRepository: '', insecure: false },
  }
  const scanning = { describer: trivyDescriber(settings, () => false) } as Partial<Scanning> as Scanning
  await rematch(scanning).run({
    registry,
    execution: { number: 1 } as Execution,
    task: { number: 1 } as Task,
    deliveryId: 'evidence',
    signal: new AbortController().signal,
    log: (line) => lines.push(line),
    show: () => {},
    save: async () => {},
    add: async () => {},
  })
}
