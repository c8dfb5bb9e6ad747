// A service with Harbor's scanner API (goharbor/pluggable-scanner-spec) as a scanner: it is sent a scan and asked for its
// report until it has one.
import { setTimeout as sleep } from 'node:timers/promises'
import { scannerLogin } from '../access/tokens.ts'
import type { AddressGuard } from '../outbound/address-guard.ts'
import { AdapterClient, type AdapterPatience } from './adapter-client.ts'
import { explained, secretsOf, withoutSecrets } from './adapter-failure.ts'
import { authorizationFor, reportTypeFor, stateIn } from './adapter-metadata.ts'
import { pingAdapter } from './adapter-ping.ts'
import { adapterReportIn } from './adapter-report.ts'
import type { ScannerAddress } from './registration.ts'
import { type ImageTarget, type ScanContext, type Scanner, ScannerError } from './scanner.ts'

export interface AdapterOptions {
  guard: AddressGuard
  /** Of a scan, until its report is here. */
  timeoutSeconds: number
  patience?: AdapterPatience
}

const PATIENCE: AdapterPatience = { answerMs: 30_000, idleMs: 30_000 }
/** Between two questions for a report. */
const WAIT_SECONDS = { least: 1, usual: 5, most: 60 }

/** @param name of its registration */
export function createAdapter(name: string, address: ScannerAddress, options: AdapterOptions): Scanner {
  const { guard, patience = PATIENCE } = options
  return {
    state: async (signal) => stateIn(await pingAdapter(address, guard, signal)),
    scan: async (target, { signal, log }) => {
      const hidden = withoutSecrets([...secretsOf(address), ...tokensIn(target)])
      const client = new AdapterClient(address, guard, patience)
      try {
        const late = AbortSignal.timeout(options.timeoutSeconds * 1000)
        const quiet: ScanContext = {
          signal: AbortSignal.any([signal, late]),
          log: (line) => log(hidden(line)),
        }
        return await scan(client, name, target, quiet)
      } catch (error) {
        if (signal.aborted) throw signal.reason
        throw explained(error, `scanner ${name} at ${address.url}`, options.timeoutSeconds, hidden)
      } finally {
        client.close()
      }
    },
  }
}

/** As it is sent in either way. */
function tokensIn({ token }: ImageTarget): string[] {
  return [token, scannerLogin(token).replace('Basic ', '')]
}

async function scan(client: AdapterClient, name: string, target: ImageTarget, { signal, log }: ScanContext) {
  const { repository, digest, mediaType, origin, token } = target
  const metadata = await client.metadata(signal)
  const { databaseAtMs, ...scanner } = stateIn(metadata)
  const type = reportTypeFor(metadata, mediaType)
  if (type === undefined)
    throw new ScannerError(
      `the configured scanner ${name} does not support scanning artifact with mime type ${mediaType}`,
      { final: true },
    )
  log(
    `${scanner.name} ${scanner.version} of ${scanner.vendor} is asked to pull ${repository}@${digest} from ${origin}`,
  )
  const id = await client.submit(
    {
      registry: { url: origin, authorization: authorizationFor(metadata, token) },
      artifact: { repository, digest, mime_type: mediaType },
      enabled_capabilities: [{ type: 'vulnerability', produces_mime_types: [type] }],
    },
    signal,
  )
  log(`accepted as ${id}`)
  const text = await reportOf(client, id, type, { signal, log })
  const report = adapterReportIn(text, { repository, digest, scanner, atMs: Date.now() })
  return { ...report, ...(databaseAtMs === undefined ? {} : { databaseAtMs }) }
}

/** Asks until there is one. The signal ends it. */
async function reportOf(
  client: AdapterClient,
  id: string,
  type: string,
  { signal, log }: ScanContext,
): Promise<string> {
  const { least, usual, most } = WAIT_SECONDS
  let elsewhere = false
  for (let asked = 1; ; asked++) {
    const answer = await client.report(id, type, signal)
    if (answer.ready) return answer.text
    if (answer.location?.includes('://') && !elsewhere) {
      elsewhere = true
      log(`its answer names ${answer.location.slice(0, 200)}, which is not followed`)
    }
    // A scan of something small is done before its first five seconds are over.
    const seconds = Math.min(Math.max(answer.toldSeconds ?? Math.min(asked, usual), least), most)
    log(`not ready: asked again in ${seconds} s`)
    await sleep(seconds * 1000, undefined, { signal })
  }
}
