// Manifests as the tools of each kind of artifact make them, pushed with their content.
import { gzipSync } from 'node:zlib'
import { packTar } from 'modern-tar'
import { type Digest, digestOf } from '../../lib/oci/digest.ts'
import { commitUpload } from '../../lib/registry/commit-upload.ts'
import type { Registry } from '../../lib/registry/registry.ts'
import { openRepository } from '../../lib/registry/repositories.ts'
import { startUpload } from '../../lib/registry/uploads.ts'
import { ACTOR, INDEX, MANIFEST, once, pushBytes } from './registry.ts'

export interface Part {
  mediaType: string
  content: string | Uint8Array
  annotations?: Record<string, string>
}

export interface Content {
  config: Part
  layers?: Part[]
  artifactType?: string
  annotations?: Record<string, string>
  subject?: Digest
  mediaType?: string
}

export interface Made {
  digest: Digest
  /** Of the manifest. */
  size: number
  /** Of manifest, config and layers. */
  total: number
}

export async function pushContent(registry: Registry, name: string, { content }: Part): Promise<Digest> {
  const repository = await openRepository(registry, name, ACTOR)
  const bytes = Buffer.from(content)
  const digest = digestOf(bytes)
  await commitUpload(registry, startUpload(registry, repository.id), digest, { bytes: once(bytes) })
  return digest
}

async function descriptor(registry: Registry, name: string, part: Part) {
  const { mediaType, content, annotations } = part
  const digest = await pushContent(registry, name, part)
  return { mediaType, digest, size: Buffer.from(content).length, ...(annotations ? { annotations } : {}) }
}

/** @param tag undefined to push by digest alone */
export async function pushArtifact(
  registry: Registry,
  name: string,
  tag: string | undefined,
  content: Content,
): Promise<Made> {
  const { artifactType, annotations, subject, mediaType = MANIFEST } = content
  const config = await descriptor(registry, name, content.config)
  const layers = []
  for (const layer of content.layers ?? []) layers.push(await descriptor(registry, name, layer))
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType,
      ...(artifactType ? { artifactType } : {}),
      config,
      layers,
      ...(subject ? { subject: { mediaType: MANIFEST, digest: subject, size: 1 } } : {}),
      ...(annotations ? { annotations } : {}),
    }),
  )
  const digest = await pushBytes(registry, name, tag, bytes, mediaType)
  const total = [config, ...layers].reduce((sum, each) => sum + each.size, bytes.length)
  return { digest, size: bytes.length, total }
}

export interface Child extends Made {
  platform?: Record<string, unknown>
  annotations?: Record<string, string>
  urls?: string[]
}

export async function pushIndexOf(
  registry: Registry,
  name: string,
  tag: string | undefined,
  children: Child[],
  more: { annotations?: Record<string, string>; artifactType?: string } = {},
): Promise<Made> {
  const manifests = children.map(({ digest, size, platform, annotations, urls }) => ({
    mediaType: MANIFEST,
    digest,
    size,
    ...(platform ? { platform } : {}),
    ...(annotations ? { annotations } : {}),
    ...(urls ? { urls } : {}),
  }))
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests, ...more }))
  const digest = await pushBytes(registry, name, tag, bytes, INDEX)
  return {
    digest,
    size: bytes.length,
    total: children.reduce((sum, each) => sum + each.total, bytes.length),
  }
}

const json = (value: unknown) => JSON.stringify(value)

/** As `docker build` writes it. */
export const DOCKER_CONFIG = {
  architecture: 'amd64',
  author: '',
  config: {
    Hostname: 'f00',
    Env: ['PATH=/bin'],
    Cmd: ['/bin/sh'],
    Image: 'sha256:1',
    Labels: { maintainer: 'ann@example.com' },
    Healthcheck: { Test: ['CMD', 'true'] },
  },
  created: '2026-01-02T03:04:05.678Z',
  docker_version: '29.0.0',
  history: [
    { created: '2026-01-02T03:04:04Z', created_by: '/bin/sh -c #(nop) ADD file:1 in / ', other: 7 },
    { created: '2026-01-02T03:04:05.678Z', created_by: 'CMD ["/bin/sh"]', empty_layer: true },
  ],
  os: 'linux',
  rootfs: { type: 'layers', diff_ids: [`sha256:${'1'.repeat(64)}`] },
}

export const dockerImage = (layer = 'layer', config: object = DOCKER_CONFIG): Content => ({
  mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
  config: { mediaType: 'application/vnd.docker.container.image.v1+json', content: json(config) },
  layers: [{ mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip', content: layer }],
})

export const ociImage = (layer = 'layer', config: object = DOCKER_CONFIG): Content => ({
  config: { mediaType: 'application/vnd.oci.image.config.v1+json', content: json(config) },
  layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', content: layer }],
})

export const CHART = {
  name: 'shop',
  version: '1.2.3',
  description: 'A shop',
  apiVersion: 'v2',
  appVersion: '4.5',
  type: 'application',
}

export async function tgz(files: Record<string, string>): Promise<Uint8Array> {
  const entries = Object.entries(files).map(([name, body]) => ({
    header: { name, size: Buffer.byteLength(body), type: 'file' as const },
    body,
  }))
  return gzipSync(await packTar(entries))
}

/** As `helm push` makes it, with its provenance first or last. */
export function helmChart(archive: Uint8Array, metadata: object = CHART): Content {
  return {
    config: { mediaType: 'application/vnd.cncf.helm.config.v1+json', content: json(metadata) },
    layers: [
      { mediaType: 'application/vnd.cncf.helm.chart.provenance.v1.prov', content: 'signed' },
      { mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip', content: archive },
    ],
    annotations: { 'org.opencontainers.image.title': 'shop' },
  }
}

const EMPTY: Part = { mediaType: 'application/vnd.oci.empty.v1+json', content: '{}' }

/** As cosign 2 writes it under the tag `sha256-….sig`. */
export const cosignSignature = (payload = '{"critical":{}}'): Content => ({
  config: {
    mediaType: 'application/vnd.oci.image.config.v1+json',
    content: json({ os: '', architecture: '' }),
  },
  layers: [
    {
      mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json',
      content: payload,
      annotations: { 'dev.cosignproject.cosign/signature': 'MEUC' },
    },
  ],
})

/** As cosign writes it with OCI 1.1 referrers. */
export const cosignReferrer = (subject: Digest): Content => ({
  ...cosignSignature(),
  config: { mediaType: 'application/vnd.dev.cosign.artifact.sig.v1+json', content: '{}' },
  subject,
})

export const notationSignature = (subject: Digest): Content => ({
  config: { mediaType: 'application/vnd.cncf.notary.signature', content: '{}' },
  layers: [{ mediaType: 'application/jose+json', content: '{"payload":"e30"}' }],
  annotations: { 'io.cncf.notary.x509chain.thumbprint#S256': '["aa"]' },
  subject,
})

/** As Harbor's scanner attaches it. */
export const harborSbom = (subject?: Digest): Content => ({
  config: { mediaType: 'application/vnd.oci.empty.v1+json', content: '{}' },
  layers: [{ mediaType: 'application/vnd.goharbor.harbor.sbom.v1', content: '{"spdxVersion":"SPDX-2.3"}' }],
  artifactType: 'application/vnd.goharbor.harbor.sbom.v1',
  ...(subject ? { subject } : {}),
})

export const nydusImage = (subject: Digest): Content => ({
  ...ociImage('nydus'),
  layers: [
    { mediaType: 'application/vnd.oci.image.layer.v1.tar', content: 'blob' },
    {
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      content: 'bootstrap',
      annotations: { 'containerd.io/snapshot/nydus-bootstrap': 'true' },
    },
  ],
  subject,
})

/** As `oras push --artifact-type` makes it. */
export const orasArtifact = (artifactType = 'application/vnd.example.report', subject?: Digest): Content => ({
  config: EMPTY,
  layers: [
    {
      mediaType: 'text/plain',
      content: 'report',
      annotations: { 'org.opencontainers.image.title': 'a.txt' },
    },
  ],
  artifactType,
  ...(subject ? { subject } : {}),
})

/** As wasm-to-oci makes it. */
export const wasmModule = (): Content => ({
  config: { mediaType: 'application/vnd.wasm.config.v1+json', content: '{}' },
  layers: [
    {
      mediaType: 'application/vnd.wasm.content.layer.v1+wasm',
      content: 'asm',
      annotations: { 'org.opencontainers.image.title': 'module.wasm' },
    },
  ],
})

/** A model as modctl packs it. */
export const model = (readme: Part): Content => ({
  config: {
    mediaType: 'application/vnd.cncf.model.config.v1+json',
    content: json({ descriptor: { name: 'small' }, config: { format: 'gguf' } }),
  },
  artifactType: 'application/vnd.cncf.model.manifest.v1+json',
  layers: [
    readme,
    {
      mediaType: 'application/vnd.cncf.model.weight.v1.raw',
      content: 'weights',
      annotations: { 'org.cncf.model.filepath': 'weights/a.gguf' },
    },
    {
      mediaType: 'application/vnd.cncf.model.doc.v1.raw',
      content: 'Apache',
      annotations: { 'org.cncf.model.filepath': 'LICENSE' },
    },
  ],
})
