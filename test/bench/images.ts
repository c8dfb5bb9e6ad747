// Images as OCI layouts, of bytes that no compression and no deduplication makes smaller.
import { createHash, randomFillSync } from 'node:crypto'
import { createReadStream, createWriteStream, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { ImageSize } from './sizes.ts'

const PIECE_BYTES = 1024 * 1024
const TAR_BLOCK = 512

interface Descriptor {
  mediaType: string
  digest: string
  size: number
}

/** @returns the layout's folder; its image is tagged `latest` */
export async function makeImage(folder: string, image: ImageSize): Promise<string> {
  const layout = path.join(folder, image.name.replaceAll(' ', ''))
  const blobs = path.join(layout, 'blobs/sha256')
  mkdirSync(blobs, { recursive: true })
  const layers: Descriptor[] = []
  const diffIds: string[] = []
  for (let index = 0; index < image.layers; index++) {
    const { descriptor, diffId } = await makeLayer(blobs, image.layerBytes)
    layers.push(descriptor)
    diffIds.push(diffId)
  }
  const config = putJson(blobs, 'application/vnd.oci.image.config.v1+json', {
    architecture: 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: diffIds },
  })
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const manifest = putJson(blobs, mediaType, { schemaVersion: 2, mediaType, config, layers })
  const named = { ...manifest, annotations: { 'org.opencontainers.image.ref.name': 'latest' } }
  writeFileSync(path.join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [named] }))
  writeFileSync(path.join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
  return layout
}

/** A file of random bytes. */
export async function makeFile(file: string, sizeBytes: number): Promise<{ file: string; digest: string }> {
  const hash = createHash('sha256')
  await pipeline(Readable.from(counted(randomPieces(sizeBytes), hash)), createWriteStream(file))
  return { file, digest: `sha256:${hash.digest('hex')}` }
}

/** A tar with one file, in a gzip that only wraps it: random bytes do not shrink, and clients then leave it as it is. */
async function makeLayer(
  blobs: string,
  sizeBytes: number,
): Promise<{ descriptor: Descriptor; diffId: string }> {
  const temporary = path.join(blobs, 'layer.tmp')
  const diffHash = createHash('sha256')
  await pipeline(
    Readable.from(counted(tarPieces(sizeBytes), diffHash)),
    createGzip({ level: 0, chunkSize: PIECE_BYTES }),
    createWriteStream(temporary),
  )
  const hash = createHash('sha256')
  let size = 0
  for await (const chunk of createReadStream(temporary, { highWaterMark: PIECE_BYTES })) {
    hash.update(chunk)
    size += chunk.length
  }
  const hex = hash.digest('hex')
  renameSync(temporary, path.join(blobs, hex))
  const mediaType = 'application/vnd.oci.image.layer.v1.tar+gzip'
  return {
    descriptor: { mediaType, digest: `sha256:${hex}`, size },
    diffId: `sha256:${diffHash.digest('hex')}`,
  }
}

function putJson(blobs: string, mediaType: string, value: unknown): Descriptor {
  const bytes = Buffer.from(JSON.stringify(value))
  const hex = createHash('sha256').update(bytes).digest('hex')
  writeFileSync(path.join(blobs, hex), bytes)
  return { mediaType, digest: `sha256:${hex}`, size: bytes.length }
}

function* tarPieces(fileBytes: number): Generator<Buffer> {
  yield tarHeader('random', fileBytes)
  yield* randomPieces(fileBytes)
  const padding = (TAR_BLOCK - (fileBytes % TAR_BLOCK)) % TAR_BLOCK
  yield Buffer.alloc(padding + 2 * TAR_BLOCK)
}

/** ustar (POSIX.1-1988): fixed fields, numbers in octal, a sum over the header with its own field blank. */
function tarHeader(name: string, sizeBytes: number): Buffer {
  const header = Buffer.alloc(TAR_BLOCK)
  const octal = (value: number, width: number) => value.toString(8).padStart(width - 1, '0')
  header.write(name, 0)
  header.write(octal(0o644, 8), 100)
  header.write(octal(0, 8), 108)
  header.write(octal(0, 8), 116)
  header.write(octal(sizeBytes, 12), 124)
  header.write(octal(0, 12), 136)
  header.write(' '.repeat(8), 148)
  header.write('0', 156)
  header.write('ustar\u000000', 257, 'latin1')
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${octal(sum, 7)}\0 `, 148, 'latin1')
  return header
}

function* randomPieces(sizeBytes: number): Generator<Buffer> {
  for (let made = 0; made < sizeBytes; made += PIECE_BYTES)
    yield randomFillSync(Buffer.allocUnsafe(Math.min(PIECE_BYTES, sizeBytes - made)))
}

function* counted(pieces: Iterable<Buffer>, hash: ReturnType<typeof createHash>): Generator<Buffer> {
  for (const piece of pieces) {
    hash.update(piece)
    yield piece
  }
}
