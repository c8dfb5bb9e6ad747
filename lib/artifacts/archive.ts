// Small files out of archives that anybody may have made: whatever an archive claims or unfolds to, little is held.
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { unpackTar } from 'modern-tar'
import { RegistryError } from '../oci/errors.ts'

const UNFOLDED_LIMIT_BYTES = 32 * 1024 * 1024
const FILE_LIMIT_BYTES = 1024 * 1024

export interface TextFile {
  name: string
  text: string
}

/** @throws REQUEST_INVALID when the bytes are no gzip, or unfold to more than 32 MiB (413) */
export async function gunzipBounded(bytes: Uint8Array): Promise<Uint8Array> {
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: UNFOLDED_LIMIT_BYTES })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
      throw new RegistryError(
        'REQUEST_INVALID',
        `the archive unfolds to more than ${UNFOLDED_LIMIT_BYTES} bytes, too many to look into it`,
        { status: 413, cause },
      )
    throw new RegistryError('REQUEST_INVALID', 'the archive is not gzipped, or damaged', { cause })
  }
}

/**
 * The plain files of a tar whose names are wanted.
 * @throws REQUEST_INVALID when the bytes are no tar, or a wanted file has more than 1 MiB (413)
 */
export async function readTar(bytes: Uint8Array, wanted: (name: string) => boolean): Promise<TextFile[]> {
  const tooLarge: string[] = []
  const files = await unpackTar(bytes, {
    strict: true,
    filter: ({ name, type, size }) => {
      if (type !== 'file' || !wanted(name)) return false
      if (size > FILE_LIMIT_BYTES) tooLarge.push(name)
      return size <= FILE_LIMIT_BYTES
    },
  }).catch((cause: unknown) => {
    throw new RegistryError('REQUEST_INVALID', 'the archive is not a tar, or damaged', { cause })
  })
  if (tooLarge.length > 0)
    throw new RegistryError(
      'REQUEST_INVALID',
      `${JSON.stringify(tooLarge[0]!.slice(0, 200))} in the archive has more than ${FILE_LIMIT_BYTES} bytes`,
      { status: 413 },
    )
  return files.map(({ header, data }) => ({
    name: header.name,
    text: Buffer.from(data ?? new Uint8Array()).toString('utf8'),
  }))
}
