// Additions: what can be read inside an artifact besides pulling it, as Harbor shows it.

import { kindOf } from '../oci/artifact-type.ts'
import { type Descriptor, isObject } from '../oci/descriptor.ts'
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { type Manifest, parseManifest } from '../oci/manifest.ts'
import type { Reference } from '../oci/reference.ts'
import { findBlob, openBlob } from '../registry/blobs.ts'
import { readJsonBlob } from '../registry/json-blob.ts'
import { findManifest } from '../registry/manifests.ts'
import type { Registry } from '../registry/registry.ts'
import { allBytes } from '../registry/stored-bytes.ts'
import { readAccessories } from './accessories.ts'
import { requireAddition } from './addition-names.ts'
import { chartDependencies, readChart } from './chart.ts'
import { modelDocument, modelFiles } from './model.ts'

export interface Addition {
  contentType: string
  content: Uint8Array
}

/** A layer that is read whole. */
const LAYER_LIMIT_BYTES = 16 * 1024 * 1024
const JSON_TYPE = 'application/json; charset=utf-8'
const PLAIN_TYPE = 'text/plain; charset=utf-8'
const MARKDOWN_TYPE = 'text/markdown; charset=utf-8'
const SBOM_TYPE = 'application/vnd.goharbor.harbor.sbom.v1'

/**
 * @param addition in upper or lower case
 * @throws NAME_UNKNOWN, MANIFEST_UNKNOWN; NOT_FOUND for an unknown addition, and where a model has no such file;
 *   REQUEST_INVALID where artifacts of its type have none, or the content is too large (413) or not what it should be
 */
export async function getAddition(
  registry: Registry,
  name: string,
  reference: Reference,
  addition: string,
): Promise<Addition> {
  const { repository, record, bytes } = await findManifest(registry, name, reference)
  const manifest = parseManifest(bytes, record.mediaType)
  const { type } = kindOf(manifest)
  const attached =
    addition.toLowerCase() === 'sbom' && type !== 'SBOM'
      ? await attachedSbom(registry, repository.id, record.digest)
      : undefined
  if (attached) return getAddition(registry, name, { kind: 'digest', digest: attached }, addition)
  const asked = requireAddition(addition, type, record.mediaType)
  const layerBytes = (layer: Descriptor) => readLayer(registry, name, layer)
  switch (asked) {
    case 'build_history':
      return json(await buildHistory(registry, repository.id, manifest))
    case 'sbom':
      return { contentType: SBOM_TYPE, content: await layerBytes(onlyLayer(manifest)) }
    case 'files':
      return json(modelFiles(manifest.layers))
    case 'license':
      return plain(PLAIN_TYPE, await modelDocument(manifest.layers, ['LICENSE', 'LICENSE.txt'], layerBytes))
    case 'readme.md':
      return plain(
        MARKDOWN_TYPE,
        type === 'CNAI'
          ? await modelDocument(manifest.layers, ['README', 'README.md'], layerBytes)
          : (await chartOf(manifest, layerBytes)).readme,
      )
    case 'values.yaml':
      return plain(PLAIN_TYPE, (await chartOf(manifest, layerBytes)).values)
    case 'dependencies':
      return json(
        chartDependencies(manifest.config && (await readJsonBlob(registry, repository.id, manifest.config))),
      )
  }
}

/** Harbor shows it by its own digest alone; here the image's will do too. */
async function attachedSbom(registry: Registry, repo: string, image: Digest): Promise<Digest | undefined> {
  const accessories = await readAccessories(registry, repo, image)
  return accessories.find(({ type }) => type === 'sbom.harbor')?.digest
}

/** Each step of the build, in order (image-spec v1.1 config.md §"history"). */
async function buildHistory(registry: Registry, repo: string, { config }: Manifest): Promise<unknown[]> {
  const parsed = config && (await readJsonBlob(registry, repo, config))
  const { history } = parsed ?? {}
  if (!Array.isArray(history)) return []
  return history.filter(isObject).map(({ created, created_by, author, comment, empty_layer }) => ({
    created,
    created_by,
    author,
    comment,
    ...(empty_layer ? { empty_layer } : {}),
  }))
}

const CHART_LAYER = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip'

async function chartOf(manifest: Manifest, layerBytes: (layer: Descriptor) => Promise<Uint8Array>) {
  const layers = manifest.layers.filter((layer) => layer.digest !== manifest.config?.digest)
  const layer = layers.find((each) => each.mediaType === CHART_LAYER) ?? layers[0]
  if (!layer) throw new RegistryError('NOT_FOUND', 'the chart has no content: its manifest has no layer')
  return readChart(await layerBytes(layer))
}

function onlyLayer({ layers }: Manifest): Descriptor {
  const [layer, ...more] = layers
  if (!layer || more.length > 0)
    throw new RegistryError('NOT_FOUND', 'the sbom is not found: it is not one layer')
  return layer
}

/** @throws REQUEST_INVALID (413); BLOB_UNKNOWN */
async function readLayer(registry: Registry, name: string, { digest }: Descriptor): Promise<Uint8Array> {
  const { link } = await findBlob(registry, name, digest, false)
  if (link.sizeBytes > LAYER_LIMIT_BYTES)
    throw new RegistryError(
      'REQUEST_INVALID',
      `layer ${digest} has ${link.sizeBytes} bytes, too many to look into it: at most ${LAYER_LIMIT_BYTES}`,
      { status: 413 },
    )
  return allBytes(await openBlob(registry, link))
}

function json(value: unknown): Addition {
  return plain(JSON_TYPE, JSON.stringify(value))
}

function plain(contentType: string, content: string): Addition {
  return { contentType, content: Buffer.from(content) }
}
