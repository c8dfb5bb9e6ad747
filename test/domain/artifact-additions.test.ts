// What can be read inside artifacts. Contents and content types are those of goharbor/harbor v2.14.0,
// src/controller/artifact/processor.
import { gzipSync } from 'node:zlib'
import { packTar } from 'modern-tar'
import { expect, test } from 'vitest'
import { getAddition } from '../../lib/artifacts/additions.ts'
import {
  CHART,
  type Content,
  cosignSignature,
  dockerImage,
  harborSbom,
  helmChart,
  model,
  ociImage,
  orasArtifact,
  type Part,
  pushArtifact,
  pushIndexOf,
  tgz,
  wasmModule,
} from './artifact-content.ts'
import { byTag, testRegistry } from './registry.ts'

const NAME = 'library/app'
const DOC = 'application/vnd.cncf.model.doc.v1.'
const document = (format: string, content: Part['content'], path: string): Part => ({
  mediaType: `${DOC}${format}`,
  content,
  annotations: { 'org.cncf.model.filepath': path },
})

async function addition(content: Content, name: string) {
  const registry = await testRegistry()
  await pushArtifact(registry, NAME, 'v1', content)
  const { contentType, content: bytes } = await getAddition(registry, NAME, byTag('v1'), name)
  return [contentType, Buffer.from(bytes).toString()]
}

const JSON_TYPE = 'application/json; charset=utf-8'

test('the build history of an image is its config’s, with the fields of the specification', async () => {
  const [contentType, text] = await addition(dockerImage(), 'build_history')
  expect(contentType).toBe(JSON_TYPE)
  expect(JSON.parse(text!)).toEqual([
    { created: '2026-01-02T03:04:04Z', created_by: '/bin/sh -c #(nop) ADD file:1 in / ' },
    { created: '2026-01-02T03:04:05.678Z', created_by: 'CMD ["/bin/sh"]', empty_layer: true },
  ])
  expect(await addition(ociImage('x', {}), 'BUILD_HISTORY')).toEqual([JSON_TYPE, '[]'])
  expect(await addition(ociImage('x', { history: 'none' }), 'build_history')).toEqual([JSON_TYPE, '[]'])
  expect(await addition(cosignSignature(), 'build_history')).toEqual([JSON_TYPE, '[]'])
})

test('a chart shows its values and readme as written, and its dependencies', async () => {
  const dependencies = [
    {
      name: 'db',
      version: '1.x',
      repository: 'https://example.com',
      condition: 'db.on',
      tags: ['a'],
      'import-values': ['x'],
      alias: 'd',
      enabled: false,
    },
    { name: 'lib', repository: '' },
  ]
  const chart = helmChart(
    await tgz({
      'shop/Chart.yaml': 'name: shop',
      'shop/values.yaml': '# sizes\nreplicas: 2\n',
      'shop/README.md': '# Shop\n',
      'shop/charts/db/values.yaml': 'not: this',
      'shop/charts/db/README.md': 'nor this',
      'shop/templates/values.yaml': 'nor: that',
    }),
    { ...CHART, dependencies },
  )
  expect(await addition(chart, 'values.yaml')).toEqual([
    'text/plain; charset=utf-8',
    '# sizes\nreplicas: 2\n',
  ])
  expect(await addition(chart, 'readme.md')).toEqual(['text/markdown; charset=utf-8', '# Shop\n'])
  const [contentType, text] = await addition(chart, 'dependencies')
  expect(contentType).toBe(JSON_TYPE)
  const { enabled: _, ...db } = dependencies[0]!
  expect(JSON.parse(text!)).toEqual([db, { name: 'lib', repository: '' }])
})

test('what a chart does not have is empty', async () => {
  const chart = helmChart(await tgz({ 'shop/Chart.yaml': 'apiVersion: v2\nname: shop' }))
  expect(await addition(chart, 'values.yaml')).toEqual(['text/plain; charset=utf-8', ''])
  expect(await addition(chart, 'readme.md')).toEqual(['text/markdown; charset=utf-8', ''])
  expect(await addition(chart, 'dependencies')).toEqual([JSON_TYPE, '[]'])
})

test.each<[string, () => Promise<Uint8Array>, number, string]>([
  ['is no gzip', async () => Buffer.from('text'), 400, 'not gzipped'],
  [
    'is cut off',
    async () => (await tgz({ 'a/values.yaml': 'x'.repeat(5000) })).subarray(0, 60),
    400,
    'not gzipped, or damaged',
  ],
  ['is no tar', async () => gzipSync('x'.repeat(2000)), 400, 'not a tar'],
  [
    'claims a file it does not have',
    async () =>
      gzipSync(
        (
          await packTar([
            { header: { name: 'a/values.yaml', size: 5000, type: 'file' }, body: 'x'.repeat(5000) },
          ])
        ).subarray(0, 1024),
      ),
    400,
    'not a tar',
  ],
  ['unfolds to gigabytes', async () => gzipSync(Buffer.alloc(33 * 1024 * 1024)), 413, 'unfolds to more than'],
  [
    'has a huge values.yaml',
    async () => tgz({ 'a/values.yaml': 'x'.repeat(1024 * 1024 + 1) }),
    413,
    'more than 1048576 bytes',
  ],
  [
    'is larger than anybody looks into',
    async () => Buffer.alloc(16 * 1024 * 1024 + 1, 'x'),
    413,
    'too many to look into',
  ],
])('a chart whose archive %s is refused, and nothing more than that', async (_, archive, status, why) => {
  await expect(addition(helmChart(await archive()), 'values.yaml')).rejects.toMatchObject({
    code: 'REQUEST_INVALID',
    status,
    message: expect.stringContaining(why),
  })
})

test('dependencies that are no list, or no dependencies, are left out', async () => {
  const chart = async (dependencies: unknown) =>
    addition(helmChart(await tgz({ 'a/b': '' }), { ...CHART, dependencies }), 'dependencies')
  for (const none of ['db', 7, null, {}, [], [null, 'db', 7]])
    expect(await chart(none)).toEqual([JSON_TYPE, '[]'])
  expect(await chart([{ name: 7, tags: 'a' }])).toEqual([JSON_TYPE, '[{"name":"","repository":""}]'])
})

test('links and folders named like a chart’s files are no files of it', async () => {
  const archive = gzipSync(
    await packTar([
      { header: { name: 'shop/values.yaml', size: 0, type: 'symlink', linkname: '/etc/passwd' } },
      { header: { name: 'shop/README.md', size: 0, type: 'directory' } },
    ]),
  )
  expect(await addition(helmChart(archive), 'values.yaml')).toEqual(['text/plain; charset=utf-8', ''])
})

test('a model shows its readme and licence, raw or in a tar, and a tree of its files', async () => {
  const readme = document('raw', '# Small', 'README.md')
  expect(await addition(model(readme), 'readme.md')).toEqual(['text/markdown; charset=utf-8', '# Small'])
  expect(await addition(model(readme), 'license')).toEqual(['text/plain; charset=utf-8', 'Apache'])
  const tar = await packTar([{ header: { name: 'README', size: 2, type: 'file' }, body: 'hi' }])
  const packed = model(document('tar', tar, 'README'))
  expect(await addition(packed, 'README.MD')).toEqual(['text/markdown; charset=utf-8', 'hi'])
  const [contentType, text] = await addition(model(readme), 'files')
  expect(contentType).toBe(JSON_TYPE)
  expect(JSON.parse(text!)).toEqual([
    { name: 'weights', type: 'directory', children: [{ name: 'a.gguf', type: 'file', size: 7 }] },
    { name: 'LICENSE', type: 'file', size: 6 },
    { name: 'README.md', type: 'file', size: 7 },
  ])
})

test('a model’s paths lead nowhere outside it, and absurd ones nowhere', async () => {
  const odd = ['../../etc/x', 'a//b/./c', 'dir/', 'dir/in', `${'d/'.repeat(100_000)}x`]
  const { layers: _, ...rest } = model(document('raw', 'x', 'README'))
  const content = { ...rest, layers: odd.map((path) => document('other', 'x', path)) }
  const [, text] = await addition(content, 'files')
  const file = (name: string) => ({ name, type: 'file', size: 1 })
  expect(JSON.parse(text!)).toEqual([
    { name: 'a', type: 'directory', children: [{ name: 'b', type: 'directory', children: [file('c')] }] },
    { name: 'dir', type: 'directory', children: [file('in')] },
    { name: 'etc', type: 'directory', children: [file('x')] },
  ])
})

test('a model without the document asked for has none', async () => {
  const other = model(document('raw', 'x', 'docs/README.md'))
  await expect(addition(other, 'readme.md')).rejects.toMatchObject({ code: 'NOT_FOUND', status: 404 })
})

test('an SBOM is its one layer', async () => {
  expect(await addition(harborSbom(), 'sbom')).toEqual([
    'application/vnd.goharbor.harbor.sbom.v1',
    '{"spdxVersion":"SPDX-2.3"}',
  ])
  const two = { ...harborSbom(), layers: [...harborSbom().layers!, ...harborSbom().layers!] }
  await expect(addition(two, 'sbom')).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test('an addition nobody knows is not found, and one that the type does not have is refused', async () => {
  for (const name of ['secrets', '', 'values', '__proto__'])
    await expect(addition(ociImage(), name)).rejects.toMatchObject({
      code: 'NOT_FOUND',
      status: 404,
      message: expect.stringContaining('there is no addition'),
    })
  for (const [content, name, type] of [
    [ociImage(), 'values.yaml', 'IMAGE'],
    [orasArtifact(), 'readme.md', 'UNKNOWN'],
    [harborSbom(), 'build_history', 'SBOM'],
    [ociImage(), 'sbom', 'IMAGE'],
  ] as const)
    await expect(addition(content, name)).rejects.toMatchObject({
      code: 'REQUEST_INVALID',
      status: 400,
      message: expect.stringContaining(`addition ${name} isn't supported for ${type}`),
    })
  expect(await addition(wasmModule(), 'build_history')).toEqual([JSON_TYPE, '[]'])
})

test('an index has no additions: its manifests do', async () => {
  const registry = await testRegistry()
  const child = await pushArtifact(registry, NAME, undefined, ociImage())
  await pushIndexOf(registry, NAME, 'v1', [child])
  await expect(getAddition(registry, NAME, byTag('v1'), 'build_history')).rejects.toMatchObject({
    status: 400,
  })
})
