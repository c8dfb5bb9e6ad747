// Images made of bytes we chose, as OCI layouts: every digest is computed here, by node:crypto alone.
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'

export interface Blob {
  mediaType: string
  digest: string
  size: number
}

export interface Image {
  /** The OCI layout's directory; its one entry is tagged `v1`. */
  layout: string
  digest: string
  blobs: Blob[]
  /** Bytes of all layers together. */
  layerBytes: number
}

export interface ImageOptions {
  layers: number
  layerBytes: number
  compression?: 'none' | 'gzip' | 'zstd'
  /** More than one makes an index. */
  architectures?: string[]
  /** The archive that each layer is; by default one file of random bytes. */
  archive?: (architecture: string) => Buffer
  /** The layer as it is stored, whatever is in it; its media type says gzip. The image says `archive` of it. */
  stored?: Buffer
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const INDEX = 'application/vnd.oci.image.index.v1+json'
const SUFFIX = { none: '', gzip: '+gzip', zstd: '+zstd' }

export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

/** Layers are real tar archives, so that engines can unpack what they pull. */
export async function makeImage(layout: string, options: ImageOptions): Promise<Image> {
  await mkdir(path.join(layout, 'blobs', 'sha256'), { recursive: true })
  const blobs: Blob[] = []
  const store = async (bytes: Uint8Array, mediaType: string): Promise<Blob> => {
    const blob = { mediaType, digest: sha256(bytes), size: bytes.length }
    await writeFile(path.join(layout, 'blobs', 'sha256', blob.digest.slice(7)), bytes)
    return blob
  }
  const architectures = options.architectures ?? ['amd64']
  const manifests: (Blob & { platform: object })[] = []
  let layerBytes = 0
  for (const architecture of architectures) {
    const layers: Blob[] = []
    const diffIds: string[] = []
    for (let number = 0; number < options.layers; number++) {
      const tar = options.archive?.(architecture) ?? tarOf(`layer-${number}`, randomBytes(options.layerBytes))
      const compression = options.compression ?? 'gzip'
      const bytes =
        options.stored ??
        (compression === 'none'
          ? tar
          : compression === 'gzip'
            ? gzipSync(tar, { level: 1 })
            : zstdCompressSync(tar))
      diffIds.push(sha256(tar))
      layers.push(await store(bytes, `application/vnd.oci.image.layer.v1.tar${SUFFIX[compression]}`))
      layerBytes += bytes.length
    }
    const config = {
      architecture,
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: diffIds },
      history: [],
    }
    const configBlob = await store(json(config), 'application/vnd.oci.image.config.v1+json')
    const manifest = { schemaVersion: 2, mediaType: MANIFEST, config: configBlob, layers }
    const stored = await store(json(manifest), MANIFEST)
    manifests.push({ ...stored, platform: { architecture, os: 'linux' } })
    blobs.push(configBlob, ...layers)
  }
  const [only] = manifests as [Blob & { platform: object }]
  const top =
    manifests.length === 1
      ? only
      : await store(json({ schemaVersion: 2, mediaType: INDEX, manifests }), INDEX)
  const named = { ...top, annotations: { 'org.opencontainers.image.ref.name': 'v1' } }
  await writeFile(
    path.join(layout, 'index.json'),
    json({ schemaVersion: 2, mediaType: INDEX, manifests: [named] }),
  )
  await writeFile(path.join(layout, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }))
  return { layout, digest: top.digest, blobs, layerBytes }
}

function json(value: object): Buffer {
  return Buffer.from(JSON.stringify(value))
}

/** One file in a POSIX ustar archive. */
function tarOf(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(512)
  header.write(name, 0)
  header.write('0000644\0', 100)
  header.write('0000000\0', 108)
  header.write('0000000\0', 116)
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124)
  header.write('00000000000\0', 136)
  header.write('        ', 148)
  header.write('0', 156)
  header.write('ustar\u000000', 257)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512)
  return Buffer.concat([header, content, padding, Buffer.alloc(1024)])
}
