// What one request carries of a blob, and whether it fits where the upload stands.
import { RegistryError } from '../oci/errors.ts'
import { type ByteRange, uploadRange } from '../oci/range.ts'

export interface UploadBody {
  bytes: AsyncIterable<Uint8Array>
  /** The request's Content-Length, when it has one. */
  lengthBytes?: number
  contentRange?: ByteRange
}

/** @throws RANGE_INVALID (416) when the chunk does not start at `offset`; SIZE_INVALID when its headers disagree */
export function checkContinues(body: UploadBody, offset: number): void {
  const range = body.contentRange
  if (!range) return
  const headers = { Range: uploadRange(offset) }
  if (range.start !== offset)
    throw new RegistryError(
      'RANGE_INVALID',
      `the chunk starts at byte ${range.start}, the upload continues at byte ${offset}`,
      { status: 416, headers, detail: { offset } },
    )
  const length = range.end - range.start + 1
  if (body.lengthBytes !== undefined && body.lengthBytes !== length)
    throw new RegistryError(
      'SIZE_INVALID',
      `Content-Range names ${length} bytes, Content-Length says ${body.lengthBytes}`,
      { headers },
    )
}

/** @throws SIZE_INVALID when other than the announced bytes came */
export function checkLength(body: UploadBody, receivedBytes: number): void {
  const range = body.contentRange
  const expected = range ? range.end - range.start + 1 : body.lengthBytes
  if (expected !== undefined && expected !== receivedBytes)
    throw new RegistryError('SIZE_INVALID', `${receivedBytes} bytes were received, ${expected} announced`)
}

/** The answer to a request that another one of the same session overtook. */
export function overtaken(offset: number): RegistryError {
  return new RegistryError(
    'RANGE_INVALID',
    'another request continued this upload session at the same time: ask for its status and continue from there',
    { status: 416, headers: { Range: uploadRange(offset) } },
  )
}
