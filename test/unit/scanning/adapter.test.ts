// Scanners elsewhere that fail in every way a service can. What a real one finds is test/scanners' matter.
// SABOTAGE=scanner-follows has redirects followed, wherever they lead.
import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Digest } from '../../../lib/oci/digest.ts'
import { createAddressGuard } from '../../../lib/outbound/address-guard.ts'
import { HttpClient } from '../../../lib/outbound/http-client.ts'
import { createAdapter } from '../../../lib/scanning/adapter.ts'
import type { ScannerAddress } from '../../../lib/scanning/registration.ts'
import type { ImageTarget } from '../../../lib/scanning/scanner.ts'
import {
  type FakeScanner,
  FOUND,
  json,
  METADATA,
  reportOf,
  startFakeScanner,
} from '../../support/fake-scanner.ts'

if (process.env.SABOTAGE === 'scanner-follows') {
  const { exchange, request } = HttpClient.prototype
  HttpClient.prototype.exchange = function follow(outgoing) {
    const plain = { exchange: (each: typeof outgoing) => exchange.call(this, each) }
    return request.call(plain as HttpClient, outgoing)
  }
}

let fake: FakeScanner
let stranger: FakeScanner
const lines: string[] = []
beforeEach(async () => {
  fake = await startFakeScanner()
  stranger = await startFakeScanner()
  lines.length = 0
})
afterEach(() => Promise.all([fake.close(), stranger.close()]))

const target: ImageTarget = {
  origin: 'https://registry.example.com',
  repository: 'library/app',
  digest: `sha256:${'a'.repeat(64)}` as Digest,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  token: 'the-token',
}

const encoded = (text: string) => Buffer.from(text).toString('base64')
const LOGIN = `Basic ${encoded('scanner:the-token')}`

interface More {
  address?: Partial<ScannerAddress>
  signal?: AbortSignal
  timeoutSeconds?: number
  allowed?: string[]
}

function scan({ signal = new AbortController().signal, ...more }: More = {}) {
  return adapterAt(more).scan(target, { signal, log: (line) => lines.push(line) })
}

const described = (format: 'spdx' | 'cyclonedx') =>
  adapterAt({}).describe(target, format, { signal: new AbortController().signal, log: () => {} })

function adapterAt({ address, timeoutSeconds = 20, allowed }: More) {
  const guard = createAddressGuard(allowed ?? ['127.0.0.0/8'])
  const to = { url: fake.url, auth: '', credential: '', skipCertVerify: false, ...address } as ScannerAddress
  const patience = { answerMs: 300, idleMs: 300 }
  return createAdapter('keel', to, { guard, timeoutSeconds, patience })
}

const fails = (message: string | RegExp, final: boolean, more: More = {}) =>
  expect(scan(more)).rejects.toMatchObject({
    message: expect.stringMatching(message),
    final,
  })

const lastScan = () => fake.scans.at(-1)!
const reported = (change: (report: ReturnType<typeof reportOf>) => unknown) => {
  fake.instead.report = (response) => json(response, 200, change(reportOf(lastScan(), [FOUND])))
}

test('it is told what to pull from where, with a token, and which report is wanted', async () => {
  const report = await scan()
  expect(lastScan()).toEqual({
    registry: { url: 'https://registry.example.com', authorization: LOGIN },
    artifact: { repository: 'library/app', digest: target.digest, mime_type: target.mediaType },
    enabled_capabilities: [
      {
        type: 'vulnerability',
        produces_mime_types: ['application/vnd.security.vulnerability.report; version=1.1'],
      },
    ],
  })
  expect(report).toEqual({
    generated_at: '2026-03-04T05:06:07.000Z',
    scanner: METADATA.scanner,
    severity: 'High',
    databaseAtMs: Date.parse('2026-01-02T03:04:05Z'),
    vulnerabilities: [
      {
        ...FOUND,
        artifact_digests: [target.digest],
        cwe_ids: [],
        status: '',
        vendor_attributes: {},
      },
    ],
    findings: [],
  })
})

test('one that says so is sent the token as it is', async () => {
  const properties = { 'harbor.scanner-adapter/registry-authorization-type': 'Bearer' }
  fake.metadata = { ...METADATA, properties }
  await scan()
  expect(lastScan().registry.authorization).toBe('Bearer the-token')
})

test.each([
  ['Basic', 'me:pass', 'authorization', `Basic ${encoded('me:pass')}`],
  ['Bearer', 'ticket', 'authorization', 'Bearer ticket'],
  ['APIKey', 'key', 'x-scanneradapter-api-key', 'key'],
] as const)(
  'a scanner with %s is shown its credential in every call',
  async (auth, credential, name, value) => {
    await scan({ address: { auth, credential } })
    expect(fake.asked.map(({ headers }) => headers[name])).toEqual([value, value, value])
  },
)

test('a scanner of the older report type is asked for that, however it writes it', async () => {
  const older = 'application/vnd.scanner.adapter.vuln.report.harbor+json;version=1.0'
  const [first] = METADATA.capabilities
  fake.metadata = { ...METADATA, capabilities: [{ ...first, type: undefined, produces_mime_types: [older] }] }
  await scan()
  expect(fake.asked.at(-1)!.headers.accept).toBe(older)
})

test('a report that is not ready is asked for again, when the scanner says', async () => {
  const asked: number[] = []
  fake.instead.report = (response) => {
    asked.push(performance.now())
    if (asked.length === 3) delete fake.instead.report
    response.writeHead(302, { 'refresh-after': '1', location: '/elsewhere' }).end()
  }
  await scan()
  expect(asked[2]! - asked[0]!).toBeGreaterThan(1900)
  expect(fake.asked.map(({ path }) => path)).not.toContain('/elsewhere')
  expect(lines).toContain('not ready: asked again in 1 s')
})

test('no redirect is followed, and it is said where it leads', async () => {
  const away = `${stranger.url}/latest/meta-data/`
  const redirect = (status: number) => (response: ServerResponse) =>
    void response.writeHead(status, { location: away }).end()
  fake.instead.report = redirect(302)
  await fails('it gave no answer within 1.2 s', false, { timeoutSeconds: 1.2 })
  expect(lines.join('\n')).toContain(`its answer names ${away}, which is not followed`)
  fake.instead.report = redirect(307)
  await fails(`asked for a report it answered 307 instead of 200, a redirect to ${away}`, true)
  fake.instead.scan = redirect(302)
  await fails('asked for a scan it answered 302 instead of 202, a redirect', true)
  fake.instead.metadata = redirect(301)
  await fails('asked for metadata it answered 301 instead of 200, a redirect', true)
  expect(stranger.asked).toEqual([])
})

test('private addresses and metadata services are not asked', async () => {
  await fails(/127\.0\.0\.1 is a private address/, true, { allowed: [] })
  const address = { url: 'http://169.254.169.254' }
  await fails(/169\.254\.169\.254 is a private address/, true, { address, allowed: ['all'] })
  expect(fake.asked).toEqual([])
})

test('a bill of materials is ordered in its format, and comes as it is written', async () => {
  const sbom = { spdxVersion: 'SPDX-2.3', packages: [] }
  reported((report) => ({ ...report, media_type: 'application/spdx+json', sbom }))
  const made = await described('spdx')
  const produced = 'application/vnd.security.sbom.report+json; version=1.0'
  expect(lastScan().enabled_capabilities).toEqual([
    {
      type: 'sbom',
      produces_mime_types: [produced],
      parameters: { sbom_media_types: ['application/spdx+json'] },
    },
  ])
  const { path, headers } = fake.asked.at(-1)!
  expect([path, headers.accept]).toEqual([
    '/api/v1/scan/scan-1/report?sbom_media_type=application%2Fspdx%2Bjson',
    produced,
  ])
  expect(JSON.parse(Buffer.from(made!.document).toString())).toEqual(sbom)
  expect(made!.scanner).toEqual(METADATA.scanner)
  reported((report) => report)
  await expect(described('cyclonedx')).rejects.toThrow('its report has no sbom')
  fake.metadata = { ...METADATA, capabilities: [METADATA.capabilities[0]!] }
  expect(await described('spdx')).toBeUndefined()
})

test('one that hangs, or sends its answer drop by drop, is given up', async () => {
  fake.instead.scan = () => {}
  await fails(/gave no answer for 0.3 s/, false)
  fake.instead.scan = (response) => void response.writeHead(202).write('{')
  await fails(/sent nothing more for 0.3 s/, false)
  delete fake.instead.scan
  fake.instead.report = (response) => {
    const drop = setInterval(() => response.write(' '), 50)
    response.on('close', () => clearInterval(drop))
  }
  await fails('it gave no answer within 1 s', false, { timeoutSeconds: 1 })
})

test('an endless answer is cut off', async () => {
  const block = Buffer.alloc(1024 * 1024, ' ')
  const endless = (response: ServerResponse) => {
    const more = () => {
      while (!response.destroyed && response.write(block));
    }
    response.on('drain', more)
    more()
  }
  fake.instead.scan = endless
  await fails('answers with more than 65536 bytes', false)
  delete fake.instead.scan
  fake.instead.metadata = endless
  await fails('answers with more than 1048576 bytes', false)
})

test('what is no report, of another shape, or of nothing is refused', async () => {
  fake.instead.report = (response) => void response.end('<html>')
  await fails('its report is no JSON: "<html>"', true)
  reported(() => [])
  await fails('its report has another shape', true)
  reported(() => ({}))
  await fails('its report has neither vulnerabilities nor generated_at', true)
  reported((report) => ({ ...report, vulnerabilities: [{ ...FOUND, id: 7 }] }))
  await fails('its report has another shape: vulnerabilities.0.id', true)
  reported((report) => ({ ...report, vulnerabilities: [{ ...FOUND, id: 'x'.repeat(3000) }] }))
  await fails('its report has another shape: vulnerabilities.0.id', true)
  reported((report) => ({ ...report, vulnerabilities: null }))
  expect((await scan()).vulnerabilities).toEqual([])
})

test('a report of another artifact is refused', async () => {
  const other = `sha256:${'b'.repeat(64)}`
  reported((report) => ({ ...report, artifact: { ...report.artifact, digest: other } }))
  await fails(`its report is of another artifact: library/app@${other} instead of`, true)
  reported((report) => ({ ...report, artifact: { ...report.artifact, repository: 'library/other' } }))
  await fails('its report is of another artifact: library/other@', true)
})

test('what it says of itself has to say what it looks into, in Harbor’s words', async () => {
  const [first] = METADATA.capabilities
  fake.metadata = { ...METADATA, scanner: { name: 'x', vendor: '', version: '1' } }
  await fails('invalid scanner in metadata', true)
  fake.metadata = { ...METADATA, capabilities: [] }
  await fails('invalid capabilities in metadata', true)
  fake.metadata = { ...METADATA, capabilities: [{ ...first, consumes_mime_types: ['text/plain'] }] }
  await fails('missing application/vnd.docker.distribution.manifest.v2\\+json in consumes_mime_types', true)
  fake.metadata = { ...METADATA, capabilities: [{ ...first, produces_mime_types: ['text/plain'] }] }
  await fails('missing application/vnd.security.vulnerability.report.* in produces_mime_types', true)
  fake.metadata = { ...METADATA, capabilities: [METADATA.capabilities[1]!] }
  await fails('the configured scanner keel does not support scanning artifact with mime type', true)
})

test('a scan it refuses, forgets or fails ends with its own words', async () => {
  const says = (status: number) => (response: ServerResponse) =>
    json(response, status, { error: { message: 'no room\n in the\tdock' } })
  fake.instead.scan = says(422)
  await fails('asked for a scan it answered 422 instead of 202: no room in the dock', true)
  fake.instead.scan = says(503)
  await fails('it answered 503', false)
  fake.instead.scan = (response) => json(response, 202, { id: '' })
  await fails('its answer to a scan has no id', true)
  delete fake.instead.scan
  fake.instead.report = says(404)
  await fails('asked for a report it answered 404 instead of 200: no room', true)
  fake.instead.report = says(500)
  await fails('asked for a report it answered 500 instead of 200: no room', true)
})

test('what it repeats of secrets is told to nobody', async () => {
  fake.instead.report = (response, { headers }) =>
    json(response, 500, { error: { message: `${JSON.stringify(lastScan())} ${JSON.stringify(headers)}` } })
  const failed = scan({ address: { auth: 'Basic', credential: 'me:secret-word' } })
  const { message } = await failed.then(
    () => new Error('it did not fail'),
    (error: Error) => error,
  )
  expect(message).toContain('Basic ***')
  for (const secret of ['the-token', 'secret-word', encoded('me:secret-word'), LOGIN.slice(6)])
    expect(`${message}\n${lines.join('\n')}`).not.toContain(secret)
})

test('a scan that is stopped asks no more', async () => {
  const stopped = new AbortController()
  fake.instead.report = (response) => {
    response.writeHead(302).end()
    stopped.abort(new Error('stopped'))
  }
  await expect(scan({ signal: stopped.signal })).rejects.toThrow('stopped')
  expect(fake.asked.filter(({ path }) => path.endsWith('/report'))).toHaveLength(1)
})
