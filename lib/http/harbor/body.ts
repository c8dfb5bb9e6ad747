// Bodies of the management API: JSON of bounded size. Unknown fields are ignored, as every client expects.
import { RegistryError } from '../../oci/errors.ts'
import type { HttpRequest } from '../message.ts'

const BODY_LIMIT_BYTES = 1024 * 1024

export type Fields = Record<string, unknown>

/** @throws REQUEST_INVALID when it is no JSON object; 413 when it is too large */
export async function readFields(request: HttpRequest): Promise<Fields> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body) {
    size += chunk.length
    if (size > BODY_LIMIT_BYTES)
      throw new RegistryError('REQUEST_INVALID', `the body is larger than ${BODY_LIMIT_BYTES} bytes`, {
        status: 413,
      })
    chunks.push(Buffer.from(chunk))
  }
  const fields = parsed(Buffer.concat(chunks).toString('utf8'))
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields))
    throw invalid('the body must be a JSON object')
  return fields as Fields
}

function parsed(text: string): unknown {
  try {
    return text === '' ? {} : JSON.parse(text)
  } catch (error) {
    throw invalid(`the body is no JSON: ${(error as Error).message.slice(0, 200)}`)
  }
}

/** A text, '' where it is absent or null. @throws 422 when it is something else, or longer than `limit` characters */
export function textIn(fields: Fields, name: string, limit = 1024): string {
  const value = fields[name] ?? ''
  if (typeof value !== 'string') throw unprocessable(name, 'a text')
  if (value.length > limit) throw unprocessable(name, `a text of at most ${limit} characters`)
  return value
}

/** @throws 422 */
export function numberIn(fields: Fields, name: string): number | undefined {
  const value = fields[name] ?? undefined
  if (value === undefined) return undefined
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw unprocessable(name, 'a whole number')
  return value
}

/** @throws 422 */
export function flagIn(fields: Fields, name: string): boolean | undefined {
  const value = fields[name] ?? undefined
  if (value === undefined || typeof value === 'boolean') return value
  throw unprocessable(name, 'true or false')
}

/** An object, `{}` where it is absent or null. @throws 422 */
export function objectIn(fields: Fields, name: string): Fields {
  const value = fields[name] ?? {}
  if (typeof value !== 'object' || Array.isArray(value)) throw unprocessable(name, 'an object')
  return value as Fields
}

/** A list of objects. @throws 422 */
export function objectsIn(fields: Fields, name: string, limit = 1000): Fields[] {
  const value = fields[name] ?? []
  if (
    !Array.isArray(value) ||
    value.length > limit ||
    value.some((each) => typeof each !== 'object' || !each)
  )
    throw unprocessable(name, `a list of at most ${limit} objects`)
  return value as Fields[]
}

function unprocessable(name: string, what: string): RegistryError {
  return new RegistryError('REQUEST_INVALID', `${name} in body must be ${what}`, { status: 422 })
}

function invalid(why: string): RegistryError {
  return new RegistryError('REQUEST_INVALID', why)
}
