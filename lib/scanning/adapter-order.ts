// A report is ordered from a scanner elsewhere, and asked for until it is there.
import { setTimeout as sleep } from 'node:timers/promises'
import type { AdapterClient } from './adapter-client.ts'
import { type AdapterMetadata, authorizationFor } from './adapter-metadata.ts'
import type { ScanType } from './scan.ts'
import type { ImageTarget, ScanContext } from './scanner.ts'

export interface Order {
  type: ScanType
  /** Of the report. */
  produced: string
  /** Of the document in it, where that is a bill of materials. */
  document?: string
}

/** Between two questions for a report. */
const WAIT_SECONDS = { least: 1, usual: 5, most: 60 }

/** The signal ends it. @throws ScannerError */
export async function orderedReport(
  client: AdapterClient,
  metadata: AdapterMetadata,
  target: ImageTarget,
  { type, produced, document }: Order,
  context: ScanContext,
): Promise<string> {
  const { repository, digest, mediaType, origin, token } = target
  const { signal, log } = context
  const { name, version, vendor } = metadata.scanner
  log(`${name} ${version} of ${vendor} is asked to pull ${repository}@${digest} from ${origin}`)
  const id = await client.submit(
    {
      registry: { url: origin, authorization: authorizationFor(metadata, token) },
      artifact: { repository, digest, mime_type: mediaType },
      enabled_capabilities: [
        {
          type,
          produces_mime_types: [produced],
          ...(document === undefined ? {} : { parameters: { sbom_media_types: [document] } }),
        },
      ],
    },
    signal,
  )
  log(`accepted as ${id}`)
  const query = document === undefined ? '' : `?sbom_media_type=${encodeURIComponent(document)}`
  let elsewhere = false
  for (let asked = 1; ; asked++) {
    const answer = await client.report(`${encodeURIComponent(id)}/report${query}`, produced, signal)
    if (answer.ready) return answer.text
    if (answer.location?.includes('://') && !elsewhere) {
      elsewhere = true
      log(`its answer names ${answer.location.slice(0, 200)}, which is not followed`)
    }
    // A scan of something small is done before its first five seconds are over.
    const { least, usual, most } = WAIT_SECONDS
    const seconds = Math.min(Math.max(answer.toldSeconds ?? Math.min(asked, usual), least), most)
    log(`not ready: asked again in ${seconds} s`)
    await sleep(seconds * 1000, undefined, { signal })
  }
}
