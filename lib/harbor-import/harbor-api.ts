// Harbor's REST API v2.0 of another registry, as one reads it: bounded answers, pages that come to an end, and the
// reason of a refusal in the other side's own words.
import { setTimeout as sleep } from 'node:timers/promises'
import { type HttpClient, type Incoming, readBounded } from '../outbound/http-client.ts'
import { OutboundError } from '../outbound/outbound-error.ts'
import { type Fields, isFields, objectsIn, textIn } from './fields.ts'

/** The other registry gave no answer, or none that can be used. */
export class HarborApiError extends Error {
  /** HTTP; undefined where there was no answer, or a success that says nothing. */
  readonly status: number | undefined

  constructor(message: string, status?: number, cause?: unknown) {
    super(message, { cause })
    this.name = 'HarborApiError'
    this.status = status
  }
}

/** The most that Harbor gives at once. */
const PAGE = 100
const PAGE_LIMIT_BYTES = 16 * 1024 * 1024
const ERROR_LIMIT_BYTES = 64 * 1024
/** A list of a million. */
const PAGES_LIMIT = 10_000
/** So many more than were announced may have come in the meantime. */
const GROWN_LIMIT = 1000
const TRIES = 3
const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 30_000
/** Another attempt may be answered. */
const PASSING = [429, 502, 503, 504]

export class HarborApi {
  readonly host: string
  readonly #http: HttpClient
  readonly #base: string
  readonly #authorization: string

  /** @param url of the registry, with its scheme */
  constructor(http: HttpClient, url: string, login: { user: string; password: string }) {
    this.#http = http
    this.#base = `${url.replace(/\/+$/, '')}/api/v2.0`
    this.host = new URL(url).host
    this.#authorization = `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}`
  }

  /** @throws HarborApiError */
  async get(path: string): Promise<Fields> {
    const { body } = await this.#json(path)
    if (isFields(body)) return body
    throw new HarborApiError(`${this.host} answered ${path} with something else than an object`)
  }

  /**
   * All entries of a list, a page at a time.
   * @param query what narrows it down
   * @throws HarborApiError, also for a list that has no end
   */
  async *pages(path: string, query: Record<string, string> = {}): AsyncGenerator<Fields[]> {
    let [got, before] = [0, '']
    for (let page = 1; page <= PAGES_LIMIT; page++) {
      const asked = new URLSearchParams({ ...query, page: String(page), page_size: String(PAGE) })
      const { body, total } = await this.#json(`${path}?${asked}`)
      if (!Array.isArray(body)) throw new HarborApiError(`${this.host} answered ${path} with no list`)
      const same = JSON.stringify(body)
      if (body.length > 0 && same === before) break
      before = same
      got += body.length
      if (got > (total ?? Number.POSITIVE_INFINITY) + GROWN_LIMIT) break
      if (body.length > 0) yield body.filter(isFields)
      // A page may be shorter than was asked for, and the count is left out by some gateways.
      if (body.length === 0 || (body.length < PAGE && got >= (total ?? 0))) return
    }
    throw new HarborApiError(`${this.host} gives a list of ${path} that has no end`)
  }

  /** The whole of a list. @throws HarborApiError */
  async all(path: string, query: Record<string, string> = {}): Promise<Fields[]> {
    const rows: Fields[] = []
    for await (const page of this.pages(path, query)) rows.push(...page)
    return rows
  }

  async #json(path: string): Promise<{ body: unknown; total: number | undefined }> {
    const answer = await this.#ask(path)
    const text = (await this.#read(answer, PAGE_LIMIT_BYTES)).toString('utf8')
    const count = answer.headers['x-total-count']
    const total = typeof count === 'string' && /^\d{1,12}$/.test(count) ? Number(count) : undefined
    try {
      return { body: JSON.parse(text), total }
    } catch {
      const type = String(answer.headers['content-type'] ?? 'no content type').split(';')[0]!
      throw new HarborApiError(
        `${this.host} answered ${path.split('?')[0]} with ${type.slice(0, 80)} instead of JSON: is this the address of a Harbor?`,
      )
    }
  }

  /** @returns an answer that is a success */
  async #ask(path: string): Promise<Incoming> {
    for (let attempt = 1; ; attempt++) {
      let wait = FIRST_WAIT_MS * 2 ** attempt
      try {
        const answer = await this.#http.request({
          method: 'GET',
          url: new URL(`${this.#base}${path}`),
          headers: { accept: 'application/json', authorization: this.#authorization },
        })
        if (answer.status >= 200 && answer.status < 300) return answer
        const refusal = await this.#refusal(answer, path.split('?')[0]!)
        if (attempt === TRIES || !PASSING.includes(answer.status)) throw refusal
        wait = Math.max(wait, 1000 * (Number(answer.headers['retry-after']) || 0))
      } catch (error) {
        if (!(error instanceof OutboundError)) throw error
        const final = error.failure === 'forbidden' || error.failure === 'tls'
        if (final || attempt === TRIES) throw new HarborApiError(error.message, undefined, error)
      }
      await sleep(Math.min(wait, LONGEST_WAIT_MS))
    }
  }

  async #refusal(answer: Incoming, path: string): Promise<HarborApiError> {
    const { status } = answer
    const said = await this.#read(answer, ERROR_LIMIT_BYTES).then(errorText, () => '')
    const why = said === '' ? '' : `: ${said}`
    if (status === 401) return new HarborApiError(`${this.host} does not take this login${why}`, status)
    return new HarborApiError(`${this.host} answered ${path} with ${status}${why}`, status)
  }

  #read(answer: Incoming, limitBytes: number): Promise<Buffer> {
    return readBounded(answer, limitBytes).catch((error) => {
      answer.discard()
      throw error instanceof OutboundError ? new HarborApiError(error.message, undefined, error) : error
    })
  }
}

/** The first error's message, as Harbor writes them. */
function errorText(body: Buffer): string {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'))
    const [first] = isFields(parsed) ? objectsIn(parsed, 'errors') : []
    return first ? textIn(first, 'message').slice(0, 300) : ''
  } catch {
    return ''
  }
}
