// Answers that are no success, as errors with the upstream's own words.
import { type HttpClient, type Incoming, type Outgoing, readBounded } from '../outbound/http-client.ts'
import { OutboundError } from '../outbound/outbound-error.ts'
import { UpstreamError, type UpstreamFailure } from './upstream-error.ts'

const BODY_LIMIT_BYTES = 16 * 1024
const WORDS_LIMIT = 300

/** @param who `the token service`, where it is not the registry itself. @throws UpstreamError unless it is a success */
export async function answered(client: HttpClient, outgoing: Outgoing, who = ''): Promise<Incoming> {
  const answer = await sent(client, outgoing)
  if (answer.status >= 200 && answer.status < 300) return answer
  throw await failureOf(answer, who)
}

/** @throws UpstreamError when there was no answer at all */
export async function sent(client: HttpClient, outgoing: Outgoing): Promise<Incoming> {
  try {
    return await client.request(outgoing)
  } catch (error) {
    throw asUpstreamError(error)
  }
}

export function asUpstreamError(error: unknown): unknown {
  if (!(error instanceof OutboundError)) return error
  return new UpstreamError(error.failure, error.message, { cause: error })
}

/** Reads what the answer says of the reason. */
export async function failureOf(answer: Incoming, who = ''): Promise<UpstreamError> {
  const { status, headers, url } = answer
  const words = await wordsOf(answer)
  const said = words === '' ? '' : `: ${words}`
  const retryAfter = headers['retry-after']
  return new UpstreamError(
    failureFor(status),
    `${who ? `${who} ` : ''}${url.host} answered ${status}${said}`,
    {
      status,
      ...(retryAfter === undefined ? {} : { retryAfter: retryAfter.slice(0, 100) }),
    },
  )
}

function failureFor(status: number): UpstreamFailure {
  if (status === 404 || status === 410) return 'absent'
  if (status === 401 || status === 403) return 'denied'
  return status === 429 ? 'limited' : 'failed'
}

/** The first error of the OCI body, or the first line of any other text. */
async function wordsOf(answer: Incoming): Promise<string> {
  let text: string
  try {
    text = (await readBounded(answer, BODY_LIMIT_BYTES)).toString('utf8')
  } catch {
    return ''
  }
  try {
    const { errors, details } = JSON.parse(text) as { errors?: { message?: unknown }[]; details?: unknown }
    const said = errors?.[0]?.message ?? details
    return typeof said === 'string' ? printable(said) : ''
  } catch {
    return /<html|<!doctype|<\?xml/i.test(text) ? '' : printable(text.split('\n')[0] ?? '')
  }
}

function printable(text: string): string {
  return text
    .replace(/[^\x20-\x7e\u00a0-\uffff]/g, ' ')
    .trim()
    .slice(0, WORDS_LIMIT)
}
