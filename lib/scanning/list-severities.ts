// What scans found, for lists of artifacts.
import type { SeverityLists } from '../artifacts/severity-lists.ts'
import type { Digest } from '../oci/digest.ts'
import { partitions } from '../registry/keys.ts'
import type { Item } from '../registry/ports.ts'
import { addSummaries, type Summary } from './report.ts'
import { dangerOfArtifact, summaryIn } from './scan-totals.ts'
import { SEVERITIES } from './severity.ts'

const READ_AT_ONCE = 1000

export const SEVERITY_LISTS: SeverityLists = {
  names: SEVERITIES,
  read: async ({ metadata }, { id, projectId }) => {
    const summaries = new Map<Digest, Summary>()
    let after: string | undefined
    for (;;) {
      const page: Item[] = await metadata.query({
        ...{ pk: partitions.scanned(projectId), prefix: `${id}#`, limit: READ_AT_ONCE },
        ...(after === undefined ? {} : { after }),
      })
      for (const item of page) summaries.set(item.sk.slice(id.length + 1) as Digest, summaryIn(item))
      if (page.length < READ_AT_ONCE) break
      after = page.at(-1)!.sk
    }
    return (digests) => {
      const found = digests.flatMap((digest) => summaries.get(digest) ?? [])
      if (found.length === 0) return undefined
      const all = addSummaries(found)
      // What is neither critical, high, medium nor low comes after that, before what has nothing.
      return { worst: all.severity, rank: `${dangerOfArtifact(all)}${String(all.total).padStart(6, '0')}` }
    }
  },
}
