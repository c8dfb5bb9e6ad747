// A service with Harbor's scanner API (goharbor/pluggable-scanner-spec) as a scanner.
import { scannerLogin } from '../access/tokens.ts'
import type { AddressGuard } from '../outbound/address-guard.ts'
import { AdapterClient, type AdapterPatience } from './adapter-client.ts'
import { explained, secretsOf, withoutSecrets } from './adapter-failure.ts'
import { type AdapterMetadata, reportTypeFor, sbomTypeFor, stateIn } from './adapter-metadata.ts'
import { orderedReport } from './adapter-order.ts'
import { pingAdapter } from './adapter-ping.ts'
import { adapterReportIn, adapterSbomIn } from './adapter-report.ts'
import type { Describer, SbomFormat } from './describer.ts'
import type { ScannerAddress } from './registration.ts'
import { type ImageTarget, type ScanContext, type Scanner, ScannerError } from './scanner.ts'

export interface AdapterOptions {
  guard: AddressGuard
  /** Of a scan, until its report is here. */
  timeoutSeconds: number
  patience?: AdapterPatience
}

export interface RegisteredScanner extends Scanner {
  /** @returns undefined where it makes no bills of materials. @throws ScannerError */
  describe(
    target: ImageTarget,
    format: SbomFormat,
    context: ScanContext,
  ): Promise<Awaited<ReturnType<Describer['describe']>> | undefined>
}

type Work<Result> = (
  client: AdapterClient,
  metadata: AdapterMetadata,
  context: ScanContext,
) => Promise<Result>

const PATIENCE: AdapterPatience = { answerMs: 30_000, idleMs: 30_000 }
const DOCUMENTS: Record<SbomFormat, string> = {
  spdx: 'application/spdx+json',
  cyclonedx: 'application/vnd.cyclonedx+json',
}

/** @param name of its registration */
export function createAdapter(
  name: string,
  address: ScannerAddress,
  options: AdapterOptions,
): RegisteredScanner {
  const within = <Result>(target: ImageTarget, context: ScanContext, work: Work<Result>) =>
    asked(name, address, options, target, context, work)
  return {
    state: async (signal) => stateIn(await pingAdapter(address, options.guard, signal)),
    scan: (target, context) =>
      within(target, context, (client, metadata, inside) => scan(client, metadata, name, target, inside)),
    describe: (target, format, context) =>
      within(target, context, (client, metadata, inside) =>
        describe(client, metadata, target, format, inside),
      ),
  }
}

/** In the time there is, and without secrets in what is said of it. */
async function asked<Result>(
  name: string,
  address: ScannerAddress,
  { guard, timeoutSeconds, patience = PATIENCE }: AdapterOptions,
  target: ImageTarget,
  { signal, log }: ScanContext,
  work: Work<Result>,
): Promise<Result> {
  const hidden = withoutSecrets([...secretsOf(address), ...tokensIn(target)])
  const client = new AdapterClient(address, guard, patience)
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutSeconds * 1000)])
  try {
    const metadata = await client.metadata(limit)
    return await work(client, metadata, { signal: limit, log: (line) => log(hidden(line)) })
  } catch (error) {
    if (signal.aborted) throw signal.reason
    throw explained(error, `scanner ${name} at ${address.url}`, timeoutSeconds, hidden)
  } finally {
    client.close()
  }
}

/** As it is sent in either way. */
function tokensIn({ token }: ImageTarget): string[] {
  return [token, scannerLogin(token).replace('Basic ', '')]
}

async function scan(
  client: AdapterClient,
  metadata: AdapterMetadata,
  name: string,
  target: ImageTarget,
  context: ScanContext,
) {
  const { repository, digest, mediaType } = target
  const { databaseAtMs, ...scanner } = stateIn(metadata)
  const produced = reportTypeFor(metadata, mediaType)
  if (produced === undefined)
    throw new ScannerError(
      `the configured scanner ${name} does not support scanning artifact with mime type ${mediaType}`,
      { final: true },
    )
  const text = await orderedReport(client, metadata, target, { type: 'vulnerability', produced }, context)
  const report = adapterReportIn(text, { repository, digest, scanner, atMs: Date.now() })
  return { ...report, ...(databaseAtMs === undefined ? {} : { databaseAtMs }) }
}

async function describe(
  client: AdapterClient,
  metadata: AdapterMetadata,
  target: ImageTarget,
  format: SbomFormat,
  context: ScanContext,
) {
  const { repository, digest, mediaType } = target
  const produced = sbomTypeFor(metadata, mediaType)
  if (produced === undefined) return undefined
  const order = { type: 'sbom', produced, document: DOCUMENTS[format] } as const
  const text = await orderedReport(client, metadata, target, order, context)
  return adapterSbomIn(text, { repository, digest, scanner: metadata.scanner, atMs: Date.now() })
}
