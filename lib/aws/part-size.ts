// How large the parts of a multipart upload are. They grow with the upload: small ones waste no memory on the many
// small blobs, large ones keep huge blobs within the 10,000 parts S3 takes.

const MIB = 2 ** 20
const GIB = 2 ** 30

/** S3 refuses a part below this unless it is the last one. */
export const SMALLEST_PART_BYTES = 5 * MIB
export const FIRST_PART_BYTES = 8 * MIB
const LARGEST_PART_BYTES = 64 * MIB
/** Bytes uploaded in parts of 8 MiB; with each doubling of the part size twice as many. */
const FIRST_STRETCH_BYTES = 2 * GIB
export const PARTS_LIMIT = 10_000

/** @param offset bytes in parts so far */
export function partBytesAt(offset: number): number {
  let size = FIRST_PART_BYTES
  for (
    let end = FIRST_STRETCH_BYTES;
    offset >= end && size < LARGEST_PART_BYTES;
    end = 2 * end + FIRST_STRETCH_BYTES
  )
    size *= 2
  return size
}
