// The three calls of Harbor's scanner API, to a service that is not ours: guarded addresses, bounded answers, and no
// redirect is followed (302 means there: not ready).
import type { AddressGuard } from '../outbound/address-guard.ts'
import { HttpClient, type Incoming, type Outgoing, readBounded } from '../outbound/http-client.ts'
import { OutboundError } from '../outbound/outbound-error.ts'
import { type AdapterMetadata, metadataIn, parsed } from './adapter-metadata.ts'
import type { ScannerAddress } from './registration.ts'
import type { ScanType } from './scan.ts'
import { ScannerError } from './scanner.ts'

export interface AdapterPatience {
  /** To the head of an answer. */
  answerMs: number
  /** Between two pieces of one. */
  idleMs: number
}

export interface ScanRequest {
  registry: { url: string; authorization: string }
  artifact: { repository: string; digest: string; mime_type: string }
  enabled_capabilities: {
    type: ScanType
    produces_mime_types: string[]
    parameters?: { sbom_media_types: string[] }
  }[]
}

export type ReportAnswer =
  | { ready: true; text: string }
  /** @property toldSeconds its Refresh-After */
  | { ready: false; toldSeconds?: number; location?: string }

interface Answer {
  status: number
  headers: Incoming['headers']
  text: string
}

const METADATA_LIMIT = 1024 * 1024
const ACCEPTED_LIMIT = 64 * 1024
const REPORT_LIMIT = 128 * 1024 * 1024
const ID_LIMIT = 512
const SAID_CHARACTERS = 500
const TYPES = {
  metadata: 'application/vnd.scanner.adapter.metadata+json; version=1.0',
  request: 'application/vnd.scanner.adapter.scan.request+json; version=1.0',
  response: 'application/vnd.scanner.adapter.scan.response+json; version=1.0',
}
/** What may be over in a moment: everything else a scanner answers is its last word. */
const PASSING = new Set([429, 502, 503, 504])

export class AdapterClient {
  readonly #address: ScannerAddress
  readonly #http: HttpClient

  constructor(address: ScannerAddress, guard: AddressGuard, patience: AdapterPatience) {
    this.#address = address
    this.#http = new HttpClient({ guard, insecure: address.skipCertVerify, ...patience })
  }

  /** @throws ScannerError */
  async metadata(signal: AbortSignal): Promise<AdapterMetadata> {
    const answer = await this.#send(
      { method: 'GET', url: this.#at('/metadata'), headers: { accept: TYPES.metadata } },
      METADATA_LIMIT,
      signal,
    )
    return metadataIn(expectStatus(answer, 200, 'metadata').text)
  }

  /** @returns the id to ask for its report with. @throws ScannerError */
  async submit(request: ScanRequest, signal: AbortSignal): Promise<string> {
    const headers = { 'content-type': TYPES.request, accept: TYPES.response }
    const answer = await this.#send(
      { method: 'POST', url: this.#at('/scan'), headers, body: JSON.stringify(request) },
      ACCEPTED_LIMIT,
      signal,
    )
    const said = parsed(expectStatus(answer, 202, 'a scan').text, 'answer to a scan')
    const { id } = (said ?? {}) as { id?: unknown }
    if (typeof id === 'string' && id !== '' && id.length <= ID_LIMIT) return id
    throw new ScannerError('its answer to a scan has no id', { final: true })
  }

  /** @param path below `/scan`, whose id is encoded. @throws ScannerError */
  async report(path: string, type: string, signal: AbortSignal): Promise<ReportAnswer> {
    const url = this.#at(`/scan/${path}`)
    const answer = await this.#send({ method: 'GET', url, headers: { accept: type } }, REPORT_LIMIT, signal)
    if (answer.status !== 302) return { ready: true, text: expectStatus(answer, 200, 'a report').text }
    const { location } = answer.headers
    const after = String(answer.headers['refresh-after'] ?? '')
    return {
      ready: false,
      ...(/^\d{1,6}$/.test(after) ? { toldSeconds: Number(after) } : {}),
      ...(location === undefined ? {} : { location }),
    }
  }

  close(): void {
    this.#http.close()
  }

  #at(path: string): URL {
    return new URL(`${this.#address.url}/api/v1${path}`)
  }

  async #send(outgoing: Outgoing, limitBytes: number, signal: AbortSignal): Promise<Answer> {
    const headers = { ...outgoing.headers, ...authorizationOf(this.#address) }
    try {
      const incoming = await unlessAborted(this.#http.exchange({ ...outgoing, headers }), signal)
      const discard = () => incoming.discard()
      signal.addEventListener('abort', discard, { once: true })
      try {
        const text = (await readBounded(incoming, limitBytes)).toString('utf8')
        return { status: incoming.status, headers: incoming.headers, text }
      } finally {
        signal.removeEventListener('abort', discard)
        incoming.discard()
      }
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof OutboundError)) throw error
      const final = error.failure === 'forbidden' || error.failure === 'tls'
      throw new ScannerError(error.message, { final, cause: error })
    }
  }
}

function authorizationOf({ auth, credential }: ScannerAddress): Record<string, string> {
  switch (auth) {
    case '':
      return {}
    case 'Basic':
      return { authorization: `Basic ${Buffer.from(credential).toString('base64')}` }
    case 'Bearer':
      return { authorization: `Bearer ${credential}` }
    case 'APIKey':
      return { 'x-scanneradapter-api-key': credential }
  }
}

/** @throws ScannerError with what the scanner said */
function expectStatus(answer: Answer, wanted: number, what: string): Answer {
  const { status, headers, text } = answer
  if (status === wanted) return answer
  const { location } = headers
  const said = status >= 300 && status < 400 ? redirection(location) : messageIn(text)
  throw new ScannerError(`asked for ${what} it answered ${status} instead of ${wanted}${said}`, {
    final: !PASSING.has(status),
  })
}

function redirection(location: string | undefined): string {
  return location === undefined ? '' : `, a redirect to ${location.slice(0, 200)}, which is not followed`
}

/** Its own words, on one line: of an error in the API's shape, or the beginning of whatever it is. */
function messageIn(text: string): string {
  let said: unknown = text
  try {
    said = (JSON.parse(text) as { error?: { message?: unknown } } | null)?.error?.message ?? text
  } catch {
    // It is no JSON: shown as it is.
  }
  const line = String(said).replace(/\s+/g, ' ').trim()
  return line === '' ? '' : `: ${line.slice(0, SAID_CHARACTERS)}`
}

/** What comes after all is thrown away. @throws the signal's reason */
function unlessAborted(answer: Promise<Incoming>, signal: AbortSignal): Promise<Incoming> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      answer.then(
        (late) => late.discard(),
        () => {},
      )
      reject(signal.reason)
    }
    if (signal.aborted) return stop()
    signal.addEventListener('abort', stop, { once: true })
    answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}
