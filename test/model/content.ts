// The little world of content the model pushes: two images that share a layer, an index over both, a referrer.
import { digestOf } from '../../lib/oci/digest.ts'
import { OCI_INDEX, OCI_MANIFEST } from '../../lib/oci/media-types.ts'

export interface ModelManifest {
  name: string
  bytes: Uint8Array
  digest: string
  mediaType: string
  blobs: ModelBlob[]
  children: ModelManifest[]
}

export interface ModelBlob {
  bytes: Uint8Array
  digest: string
}

function blob(fill: string, size: number): ModelBlob {
  const bytes = Buffer.alloc(size, fill)
  return { bytes, digest: digestOf(bytes) }
}

const layer = blob('layer', 70 * 1024) // large enough to be shared between repositories by mount
const configs = [blob('config-a', 100), blob('config-b', 100)]
const empty = blob('{}', 2)

function manifest(
  name: string,
  mediaType: string,
  body: object,
  blobs: ModelBlob[],
  children: ModelManifest[],
): ModelManifest {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...body }))
  return { name, bytes, digest: digestOf(bytes), mediaType, blobs, children }
}

function described(mediaType: string, { bytes, digest }: { bytes: Uint8Array; digest: string }) {
  return { mediaType, digest, size: bytes.length }
}

function image(name: string, config: ModelBlob): ModelManifest {
  const body = {
    config: described('application/vnd.example.config', config),
    layers: [described('application/vnd.oci.image.layer.v1.tar', layer)],
  }
  return manifest(name, OCI_MANIFEST, body, [config, layer], [])
}

const images = [image('a', configs[0]!), image('b', configs[1]!)]

const index = manifest(
  'index',
  OCI_INDEX,
  { manifests: images.map((each) => described(each.mediaType, each)) },
  [],
  images,
)

const referrer = manifest(
  'referrer',
  OCI_MANIFEST,
  {
    config: described('application/vnd.oci.empty.v1+json', empty),
    layers: [],
    subject: described(images[0]!.mediaType, images[0]!),
  },
  [empty],
  [],
)

export const MANIFESTS = [...images, index, referrer]
export const BLOBS = [layer, ...configs, empty]
