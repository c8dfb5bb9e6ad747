// Scrub: reads every blob back and compares it with its digest. One that differs is never served again; pushing
// it anew repairs it.
import { algorithmOf, type Digest } from '../oci/digest.ts'
import { type Link, linkChange, linkOf } from './links.ts'
import type { Registry } from './registry.ts'
import { scanItems } from './scan.ts'
import { digestOfBody } from './verified-body.ts'

export interface ScrubReport {
  blobs: number
  bytes: number
  corrupt: { repo: string; digest: Digest; found: string }[]
}

/** @param onProgress called after each blob */
export async function scrub(
  registry: Registry,
  onProgress: (report: ScrubReport) => void = () => {},
): Promise<ScrubReport> {
  const report: ScrubReport = { blobs: 0, bytes: 0, corrupt: [] }
  for await (const item of scanItems(registry)) {
    if (item.sk !== 'L' || !item.pk.startsWith('L#')) continue
    const [, repo, digest] = item.pk.split('#')
    const link = linkOf(item, repo!, digest as Digest)!
    const found = await storedDigest(registry, link)
    report.blobs += 1
    report.bytes += link.sizeBytes
    if (found !== link.digest) {
      report.corrupt.push({ repo: link.repo, digest: link.digest, found })
      // A link that changed meanwhile was uploaded again or collected.
      if (link.state !== 'corrupt')
        await registry.metadata.transact([linkChange(registry, link, { state: 'corrupt' })])
    }
    onProgress(report)
  }
  return report
}

async function storedDigest(registry: Registry, link: Link): Promise<string> {
  try {
    const body = await registry.blobs.open(link.object)
    return body ? await digestOfBody(body, algorithmOf(link.digest)) : 'missing'
  } catch (error) {
    return `unreadable: ${(error as Error).message}`
  }
}
