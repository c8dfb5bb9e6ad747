import { expect, test } from 'vitest'
import { type Descriptor, readAnnotations, readDescriptor } from '../../../lib/oci/descriptor.ts'
import { digestOf } from '../../../lib/oci/digest.ts'
import { OCI_ERRORS, RegistryError } from '../../../lib/oci/errors.ts'
import { parseManifest, referrerDescriptor } from '../../../lib/oci/manifest.ts'
import { isDockerSchema1, isForeignLayer, OCI_INDEX, OCI_MANIFEST } from '../../../lib/oci/media-types.ts'
import { parseStrictJson } from '../../../lib/oci/strict-json.ts'

const descriptor = (text: string, mediaType = 'application/x'): Descriptor => ({
  mediaType,
  digest: digestOf(Buffer.from(text)),
  size: text.length,
})
const parse = (value: unknown, type?: string) =>
  parseManifest(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), type)
const image = { schemaVersion: 2, config: descriptor('c', 'application/config'), layers: [descriptor('l')] }
const invalid = (message: string | RegExp) =>
  expect.objectContaining({
    code: 'MANIFEST_INVALID',
    message: typeof message === 'string' ? expect.stringContaining(message) : expect.stringMatching(message),
  })

test('an image needs its config and layers, and lists as its config’s media type', () => {
  const parsed = parse(image, OCI_MANIFEST)
  expect(parsed).toMatchObject({
    kind: 'image',
    mediaType: OCI_MANIFEST,
    children: [],
    artifactType: 'application/config',
  })
  expect(parsed.blobs).toEqual([image.config, ...image.layers])
  expect(parse({ ...image, layers: undefined }, OCI_MANIFEST).layers).toEqual([])
})

test('foreign layers are listed but not needed', () => {
  const foreign = descriptor('f', 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip')
  const parsed = parse({ ...image, layers: [...image.layers, foreign] })
  expect(parsed.layers).toContainEqual(foreign)
  expect(parsed.blobs).not.toContainEqual(foreign)
  for (const type of [
    'application/vnd.docker.image.rootfs.foreign.diff.tar',
    'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
    'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd',
  ])
    expect(isForeignLayer(type)).toBe(true)
  for (const type of [
    'application/vnd.oci.image.layer.v1.tar',
    'application/vnd.docker.image.rootfs.foreign.diff.tarx',
  ])
    expect(isForeignLayer(type)).toBe(false)
})

test('an index lists its manifests and may lack a mediaType', () => {
  const parsed = parse({ schemaVersion: 2, manifests: [descriptor('m')] })
  expect(parsed).toMatchObject({
    kind: 'index',
    mediaType: OCI_INDEX,
    blobs: [],
    children: [descriptor('m')],
  })
  expect(parsed.artifactType).toBeUndefined()
  expect(parse({ schemaVersion: 2 }, OCI_INDEX).children).toEqual([])
})

test('the artifact manifest of an early draft is accepted, without schemaVersion', () => {
  const mediaType = 'application/vnd.oci.artifact.manifest.v1+json'
  expect(parse({ mediaType, artifactType: 'a/b', blobs: [descriptor('b')] })).toMatchObject({
    kind: 'artifact',
    artifactType: 'a/b',
    blobs: [descriptor('b')],
  })
  expect(parse({ mediaType }).blobs).toEqual([])
})

test('subject, artifactType and annotations are read', () => {
  const parsed = parse({ ...image, subject: descriptor('s'), artifactType: 'a/b', annotations: { k: 'v' } })
  expect(parsed).toMatchObject({ subject: descriptor('s'), artifactType: 'a/b', annotations: { k: 'v' } })
  expect(parse({ ...image, subject: null, artifactType: '' })).not.toHaveProperty('subject')
  const digest = digestOf(Buffer.from('x'))
  expect(referrerDescriptor(parsed, digest, 7)).toEqual({
    mediaType: OCI_MANIFEST,
    digest,
    size: 7,
    artifactType: 'a/b',
    annotations: { k: 'v' },
  })
  expect(Object.keys(referrerDescriptor(parse({ schemaVersion: 2, manifests: [] }), digest, 7))).toEqual([
    'mediaType',
    'digest',
    'size',
  ])
})

test('the type comes from the Content-Type without its parameters, or from the body where that says nothing', () => {
  expect(parse(image, `${OCI_MANIFEST.toUpperCase()}; charset=utf-8`).mediaType).toBe(OCI_MANIFEST)
  for (const silent of [
    undefined,
    '',
    'application/json',
    'application/octet-stream',
    'application/x-www-form-urlencoded',
  ])
    expect(parse(image, silent).mediaType).toBe(OCI_MANIFEST)
  expect(
    parse({ ...image, mediaType: 'application/vnd.docker.distribution.manifest.v2+json' }).mediaType,
  ).toContain('docker')
})

test('what is no manifest is refused with the reason', () => {
  for (const [body, type, why] of [
    ['[]', undefined, 'not a JSON object'],
    ['null', undefined, 'not a JSON object'],
    ['{', undefined, 'not valid JSON'],
    [{ ...image, schemaVersion: 1 }, undefined, 'schemaVersion must be 2'],
    [{ ...image, layers: {} }, undefined, 'layers is not an array'],
    [{ ...image, layers: [1] }, undefined, 'layers[0] is not an object'],
    [{ ...image, config: undefined }, OCI_MANIFEST, 'config is not an object'],
    [{ ...image, config: { ...image.config, size: -1 } }, undefined, 'config has no valid size (-1)'],
    [{ ...image, config: { ...image.config, size: 1.5 } }, undefined, 'has no valid size'],
    [{ ...image, config: { ...image.config, digest: 'x' } }, undefined, 'has no valid digest ("x")'],
    [{ ...image, config: { ...image.config, mediaType: 1 } }, undefined, 'has no mediaType'],
    [{ ...image, annotations: { a: 1 } }, undefined, 'annotations are not a map'],
    [{ ...image, annotations: [] }, undefined, 'annotations are not a map'],
    [{ ...image, subject: 'x' }, undefined, 'subject is not an object'],
    [{ schemaVersion: 2, manifests: [] }, OCI_MANIFEST, 'the body is an index'],
    [image, OCI_INDEX, 'the body has layers'],
    [{ ...image, mediaType: OCI_INDEX }, OCI_MANIFEST, 'own mediaType is'],
    [image, 'application/vnd.docker.distribution.manifest.v1+prettyjws', 'schema 1'],
    [image, 'text/plain', '"text/plain" is not a manifest type'],
    [{ schemaVersion: 2, manifests: {} }, OCI_INDEX, 'manifests is not an array'],
  ] as const)
    expect(() => parse(body, type)).toThrow(invalid(why))
  expect(isDockerSchema1('application/vnd.docker.distribution.manifest.v1+json')).toBe(true)
})

test('descriptors keep artifactType, annotations, platform and urls, as far as they are that, and nothing else', () => {
  const full = {
    ...descriptor('d'),
    artifactType: 'a/b',
    annotations: { k: 'v' },
    platform: { os: 'linux', 'os.features': ['a', 7], architecture: 7, features: ['sse4'] },
    urls: ['https://example.com/d', 7],
    data: 'eA==',
  }
  expect(readDescriptor(full, 'x')).toEqual({
    ...descriptor('d'),
    artifactType: 'a/b',
    annotations: { k: 'v' },
    platform: { os: 'linux', 'os.features': ['a'] },
    urls: ['https://example.com/d'],
  })
  expect(readDescriptor({ ...descriptor('d'), platform: 'linux', urls: 'x' }, 'x')).toEqual(descriptor('d'))
  expect(readDescriptor({ ...descriptor('d'), annotations: null }, 'x')).toEqual(descriptor('d'))
  expect(readDescriptor({ ...descriptor('d'), size: 0 }, 'x').size).toBe(0)
  expect(readAnnotations(undefined, 'x')).toBeUndefined()
  expect(() => readDescriptor({ ...descriptor('d'), digest: undefined }, 'x')).toThrow(invalid('(absent)'))
})

test('keys may not be repeated in one object, however they are written, but in different objects', () => {
  for (const text of [
    '{"a":1,"a":2}',
    '{"a":1,"\\u0061":2}',
    '{"x":{"a":1 , "a" :2}}',
    '[{"a":1,\n"a"\t:2}]',
    '{"a":{"b":1},"a":2}',
  ])
    expect(() => parseStrictJson(Buffer.from(text))).toThrow(invalid('twice'))
  for (const text of [
    '{"a":{"a":1},"b":[{"a":1},{"a":2}]}',
    '{"a":"a","b":"a"}',
    '{"a\\"b":1,"a":2}',
    '["a","a"]',
  ])
    expect(parseStrictJson(Buffer.from(text))).toEqual(JSON.parse(text))
})

test('64 levels are accepted, 65 are not, and brackets within text do not count', () => {
  const nested = (depth: number) => Buffer.from('['.repeat(depth) + ']'.repeat(depth))
  expect(parseStrictJson(nested(64))).toBeTruthy()
  expect(() => parseStrictJson(nested(65))).toThrow(invalid('deeper than 64'))
  expect(parseStrictJson(Buffer.from(JSON.stringify('['.repeat(500))))).toHaveLength(500)
  expect(parseStrictJson(Buffer.from(`[${'[],'.repeat(200)}{}]`))).toHaveLength(201)
})

test('text that is not UTF-8 is refused', () => {
  expect(() => parseStrictJson(Buffer.from([0x22, 0xff, 0x22]))).toThrow(invalid('UTF-8'))
  expect(() => parseStrictJson(Buffer.from('"abc'))).toThrow(invalid('not valid JSON'))
})

test('errors carry the code’s status and message unless told otherwise', () => {
  for (const [code, { status, message }] of Object.entries(OCI_ERRORS)) {
    const error = new RegistryError(code as keyof typeof OCI_ERRORS)
    expect([error.code, error.status, error.message, error.headers, error.name]).toEqual([
      code,
      status,
      message,
      {},
      'RegistryError',
    ])
  }
  const error = new RegistryError('DENIED', 'why', {
    status: 412,
    headers: { a: 'b' },
    detail: 1,
    principal: 'p',
    cause: 'c',
  })
  expect(error).toMatchObject({
    status: 412,
    headers: { a: 'b' },
    detail: 1,
    principal: 'p',
    message: 'why',
    cause: 'c',
  })
})
