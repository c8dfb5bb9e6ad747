// Manifests as bytes, over blobs and manifests that need not be there.
import { type Digest, digestOf } from '../../lib/oci/digest.ts'
import { INDEX, MANIFEST, type Pushed } from './registry.ts'

const TYPE = 'application/x'

export const layerOf = (text: string) => ({ digest: digestOf(Buffer.from(text)), size: text.length })

/** An image over the config `{}` and these layers. */
export function imageBytes(...layers: { digest: Digest; size: number }[]): Buffer {
  const config = { mediaType: TYPE, ...layerOf('{}') }
  const described = layers.map((each) => ({ mediaType: TYPE, ...each }))
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers: described }))
}

export function indexBytes(...children: Pick<Pushed, 'digest' | 'bytes'>[]): Buffer {
  const manifests = children.map(({ digest, bytes }) => ({ mediaType: MANIFEST, digest, size: bytes.length }))
  return Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests }))
}
