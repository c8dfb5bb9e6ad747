// A service with Harbor's scanner API that finds what a test tells it to, and misbehaves as a test wants it to.
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

export const REPORT = 'application/vnd.security.vulnerability.report; version=1.1'
const MANIFESTS = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]

export interface ScanRequest {
  registry: { url: string; authorization: string }
  artifact: { repository: string; digest: string; mime_type: string }
  enabled_capabilities: { type: string; produces_mime_types: string[] }[]
}

export interface Asked {
  method: string
  path: string
  headers: IncomingHttpHeaders
  body: string
}

type Respond = (response: ServerResponse, asked: Asked) => void

export interface FakeScanner {
  /** Every path below it is one too. */
  url: string
  asked: Asked[]
  scans: ScanRequest[]
  metadata: Record<string, unknown>
  vulnerabilities: object[]
  /** Instead of what it would answer, by `metadata`, `scan`, `report`. */
  instead: Partial<Record<'metadata' | 'scan' | 'report', Respond>>
  close(): Promise<void>
}

export const METADATA = {
  scanner: { name: 'Barnacle', vendor: 'Hull & Keel', version: '1.2.3' },
  capabilities: [
    { type: 'vulnerability', consumes_mime_types: MANIFESTS, produces_mime_types: [REPORT] },
    {
      type: 'sbom',
      consumes_mime_types: MANIFESTS,
      produces_mime_types: ['application/vnd.security.sbom.report+json; version=1.0'],
    },
  ],
  properties: { 'harbor.scanner-adapter/vulnerability-database-updated-at': '2026-01-02T03:04:05Z' },
}

export const FOUND = {
  id: 'CVE-2026-0001',
  package: 'rope',
  version: '1.0',
  fix_version: '1.1',
  severity: 'High',
  description: 'it frays',
  links: ['https://example.com/CVE-2026-0001'],
}

export const json = (response: ServerResponse, status: number, value: unknown) =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))

export const reportOf = ({ artifact }: ScanRequest, vulnerabilities: object[]) => ({
  generated_at: '2026-03-04T05:06:07Z',
  artifact,
  scanner: METADATA.scanner,
  severity: 'High',
  vulnerabilities,
})

export async function startFakeScanner(): Promise<FakeScanner> {
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request
    const asked = { method, path: url, headers, body: await text(request) }
    fake.asked.push(asked)
    const what = /\/api\/v1\/(metadata|scan)(\/.*)?$/.exec(url)
    const kind = what?.[2] ? 'report' : (what?.[1] as 'metadata' | 'scan' | undefined)
    if (kind === 'scan') fake.scans.push(JSON.parse(asked.body))
    if (kind && fake.instead[kind]) return fake.instead[kind](response, asked)
    if (kind === 'metadata') return json(response, 200, fake.metadata)
    if (kind === 'scan') return json(response, 202, { id: `scan-${fake.scans.length}` })
    const scan = fake.scans[Number(/scan-(\d+)\/report/.exec(url)?.[1]) - 1]
    if (!scan) return json(response, 404, { error: { message: 'cannot find scan job' } })
    return json(response, 200, reportOf(scan, fake.vulnerabilities))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const fake: FakeScanner = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: [],
    scans: [],
    metadata: METADATA,
    vulnerabilities: [FOUND],
    instead: {},
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return fake
}
