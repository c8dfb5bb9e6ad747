// What a session's item remembers of an upload in S3.
import type { UploadState } from '../registry/ports.ts'
import type { Parts } from './multipart-writer.ts'

export interface S3Upload {
  parts?: Parts
  /** Bytes that are in no part (below 5 MiB), as an object; without parts it is the whole upload so far. */
  tail?: { key: string; sizeBytes: number }
  /** The tail before: no longer needed once this state is stored. */
  outdated?: string
}

export function readState(state: UploadState): S3Upload {
  const { uploadId, etags, bytes, tail, tailBytes, outdated } = state as Record<string, string | number>
  return {
    ...(uploadId === undefined
      ? {}
      : {
          parts: {
            uploadId: uploadId as string,
            etags: (etags as string).split(' ').map((etag) => `"${etag}"`),
            bytes: bytes as number,
          },
        }),
    ...(tail === undefined ? {} : { tail: { key: tail as string, sizeBytes: tailBytes as number } }),
    ...(outdated === undefined ? {} : { outdated: outdated as string }),
  }
}

/** Entity tags are hexadecimal and as many as ten thousand: one text is the smallest form they have. */
export function writeState({ parts, tail, outdated }: S3Upload): UploadState {
  return {
    ...(parts
      ? {
          uploadId: parts.uploadId,
          etags: parts.etags.map((etag) => etag.replaceAll('"', '')).join(' '),
          bytes: parts.bytes,
        }
      : {}),
    ...(tail ? { tail: tail.key, tailBytes: tail.sizeBytes } : {}),
    ...(outdated === undefined ? {} : { outdated }),
  }
}
