// Byte ranges: RFC 9110 §14 for reading, distribution-spec v1.1.1 §"Pushing a blob in chunks" for writing.
import { RegistryError } from './errors.ts'

/** Inclusive byte positions. */
export interface ByteRange {
  start: number
  end: number
}

/**
 * The one range a GET asks for. Several ranges, other units and malformed headers are ignored, as RFC 9110 allows.
 * @returns undefined for the whole body, `unsatisfiable` for 416
 */
export function parseRange(
  header: string | undefined,
  sizeBytes: number,
): ByteRange | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d{0,16})-(\d{0,16})$/.exec(header?.trim() ?? '')
  if (!match || (match[1] === '' && match[2] === '')) return undefined
  if (match[1] === '') {
    const suffix = Number(match[2])
    if (suffix === 0 || sizeBytes === 0) return 'unsatisfiable'
    return { start: Math.max(0, sizeBytes - suffix), end: sizeBytes - 1 }
  }
  const start = Number(match[1])
  const end = match[2] === '' ? sizeBytes - 1 : Math.min(Number(match[2]), sizeBytes - 1)
  if (start >= sizeBytes || end < start) return 'unsatisfiable'
  return { start, end }
}

/** `Content-Range: <start>-<end>` of an upload chunk. @throws BLOB_UPLOAD_INVALID when malformed */
export function parseContentRange(header: string | undefined): ByteRange | undefined {
  if (header === undefined) return undefined
  const match = /^(?:bytes[ =])?(\d{1,16})-(\d{1,16})(?:\/(?:\d{1,16}|\*))?$/.exec(header.trim())
  const start = Number(match?.[1])
  const end = Number(match?.[2])
  if (!match || !Number.isSafeInteger(start) || !Number.isSafeInteger(end) || end < start)
    throw new RegistryError(
      'BLOB_UPLOAD_INVALID',
      `invalid Content-Range ${JSON.stringify(header.slice(0, 80))}: expected <start>-<end>, both inclusive`,
    )
  return { start, end }
}

/** The `Range` header of an upload holding `offset` bytes; `0-0` also stands for none, as the spec has no other form. */
export function uploadRange(offset: number): string {
  return `0-${Math.max(0, offset - 1)}`
}
