// Whether an answer under /api/v2.0 is one that Harbor's own swagger file describes.
import { exceptionFor } from './exceptions.ts'
import { objections } from './schema.ts'
import { BASE_PATH, type Operation, operationOf, type Response, type SwaggerSchema } from './swagger.ts'

/** A request and its answer. */
export interface Exchange {
  method: string
  /** The request target as it was sent. */
  path: string
  status: number
  /** Names in lower case. */
  headers: Record<string, string | string[] | undefined>
  body: Uint8Array | string
}

export interface Judgement {
  /** Undefined when the request is for no operation of Harbor's. */
  operation: Operation | undefined
  /** One line for each thing that the file does not allow; exceptions.ts says what is let through. */
  breaches: string[]
}

/** An error looks the same everywhere, also where the file has only words for it. */
const ERRORS: SwaggerSchema = { $ref: '#/definitions/Errors' }

/** Harbor's default and largest page. */
const PAGE_SIZE = { usual: 10, largest: 100 }

/** Compares an answer with Harbor's description of the operation. */
export function judge(exchange: Exchange): Judgement {
  const operation = operationOf(exchange.method, exchange.path)
  if (!operation) {
    const refused = exchange.status === 404 || exchange.status === 405
    const breach = `answered ${exchange.status} although Harbor has no such operation`
    return { operation, breaches: refused ? [] : [breach] }
  }
  const breaches = objectionsTo(exchange, operation).filter((each) => !exceptionFor(operation, each))
  return { operation, breaches }
}

function objectionsTo(exchange: Exchange, operation: Operation): string[] {
  const { responses } = operation
  // The file describes 500 everywhere; nothing that a client sends may lead to one.
  if (exchange.status >= 500 && exchange.status !== 503) return [`answered ${exchange.status}`]
  const described = responses[String(exchange.status)] ?? responses.default
  if (described)
    return [...headerObjections(exchange, described), ...bodyObjections(exchange, operation, described)]
  const missing = `status ${exchange.status} is not described`
  if (exchange.status < 400) return [missing]
  return [missing, ...bodyObjections(exchange, operation, { schema: ERRORS })]
}

function headerObjections(exchange: Exchange, described: Response): string[] {
  const found: string[] = []
  const declared = Object.keys(described.headers ?? {})
  for (const name of declared.filter((each) => each !== 'Link'))
    if (!headerOf(exchange, name)) found.push(`the header ${name} is missing`)
  if (declared.includes('Location')) found.push(...locationObjections(headerOf(exchange, 'location')))
  if (declared.includes('X-Total-Count'))
    found.push(...listObjections(exchange, headerOf(exchange, 'x-total-count')))
  return found
}

function headerOf({ headers }: Exchange, name: string): string | undefined {
  const value = headers[name.toLowerCase()]
  return Array.isArray(value) ? value.join(', ') : value
}

/** The Terraform provider cuts the prefix away and appends the rest to its own base. */
function locationObjections(location: string | undefined): string[] {
  if (location === undefined) return []
  const path = location.startsWith(`${BASE_PATH}/`) && !/[?#\s,]|\/$/.test(location)
  return path ? [] : [`the header Location is no path under ${BASE_PATH}: ${location}`]
}

/** Link names the neighbours that the page has; where there are none Harbor leaves it out. */
function listObjections(exchange: Exchange, count: string | undefined): string[] {
  if (count === undefined) return []
  if (!/^\d+$/.test(count)) return [`the header X-Total-Count is no number: ${count}`]
  const total = Number(count)
  const query = new URLSearchParams(exchange.path.split('?')[1])
  const page = Number(query.get('page') || 1)
  const size = Number(query.get('page_size') || PAGE_SIZE.usual)
  const link = headerOf(exchange, 'link') ?? ''
  const found: string[] = []
  const wanted = {
    // page_size=0 asks for everything.
    next: size > 0 && page * size < total,
    prev: size > 0 && page > 1 && (page - 1) * size < total,
  }
  for (const [rel, there] of Object.entries(wanted))
    if (there && !link.includes(`rel="${rel}"`)) found.push(`the header Link has no rel="${rel}"`)
  const rows = rowsOf(exchange)
  if (rows !== undefined && rows > total) found.push(`the header X-Total-Count is ${total} for ${rows} rows`)
  if (rows !== undefined && size > 0 && rows > Math.min(size, PAGE_SIZE.largest))
    found.push(`${rows} rows on a page of ${size}`)
  return found
}

function rowsOf({ body }: Exchange): number | undefined {
  const parsed = parsedOf(textOf(body))
  return Array.isArray(parsed) ? parsed.length : undefined
}

const textOf = (body: Uint8Array | string) =>
  typeof body === 'string' ? body : Buffer.from(body).toString('utf8')

function parsedOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function bodyObjections(exchange: Exchange, operation: Operation, described: Response): string[] {
  const text = textOf(exchange.body)
  const failed = exchange.status >= 400
  const schema = described.schema ?? (failed ? ERRORS : undefined)
  if (exchange.method === 'HEAD' || !schema)
    return text === '' ? [] : ['there is a body although none is described']
  const type = headerOf(exchange, 'content-type') ?? ''
  if (!failed && (schema.type === 'file' || schema.type === 'string'))
    return textObjections(operation, described, type)
  if (text === '') return ['the body is empty']
  if (!/^application\/json(;|$)/.test(type)) return [`the content type is not application/json: ${type}`]
  const parsed = parsedOf(text)
  if (parsed === undefined) return [`the body is no JSON: ${text.slice(0, 80)}`]
  return [...objections(schema, parsed), ...(failed ? errorObjections(parsed) : [])]
}

/** Logs, files and what artifacts bring with them: the swagger file says only in which type they come. */
function textObjections({ produces }: Operation, described: Response, type: string): string[] {
  if (described.headers?.['Content-Type']) return []
  const wanted = produces.some((each) => type.startsWith(each))
  return wanted ? [] : [`the content type is not ${produces.join(' or ')}: ${type}`]
}

/** harbor-cli prints the first error's message, so there must be one. */
function errorObjections(parsed: unknown): string[] {
  const { errors } = (parsed ?? {}) as { errors?: { code?: string; message?: string }[] }
  const first = Array.isArray(errors) ? errors[0] : undefined
  return first?.code && first.message !== undefined
    ? []
    : ['the body has no first error with code and message']
}
