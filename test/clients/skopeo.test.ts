import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sha256 } from './image.ts'
import { expected, openWorkplace, type Workplace } from './workplace.ts'

let at: Workplace
beforeAll(async () => {
  at = await openWorkplace()
  await at.sh(`echo $PASSWORD | skopeo login --tls-verify=false -u "$LOGIN" --password-stdin ${at.host}`)
})
afterAll(() => at.close())

const push = (layout: string, to: string) =>
  at.sh(
    `skopeo copy --all --preserve-digests --dest-tls-verify=false oci:${layout}:v1 docker://${at.host}/${to}`,
  )

test('skopeo pushes a multi-architecture image and pulls the same bytes', async () => {
  const image = await at.image('multi', { layers: 3, layerBytes: 100_000, architectures: ['amd64', 'arm64'] })
  await push(image.layout, 'library/skopeo:v1')
  expect((await at.manifest('library/skopeo', 'v1')).digest).toBe(expected(image.digest))
  await at.sh(
    `skopeo copy --all --preserve-digests --src-tls-verify=false docker://${at.host}/library/skopeo:v1 oci:back:v1`,
  )
  for (const { digest } of image.blobs) {
    const bytes = await readFile(path.join(at.directory, 'back/blobs/sha256', digest.slice(7)))
    expect(sha256(bytes)).toBe(expected(digest))
  }
})

test('a second push of the same image moves no blob byte', async () => {
  const image = await at.image('again', { layers: 4, layerBytes: 200_000 })
  const before = at.registry.blobBytes
  await push(image.layout, 'library/again:v1')
  expect(at.registry.blobBytes - before).toBe(image.blobs.reduce((sum, blob) => sum + blob.size, 0))
  const after = at.registry.blobBytes
  await push(image.layout, 'library/again:v2')
  expect(at.registry.blobBytes).toBe(after)
})

test('skopeo pushes an image of 60 layers, and one compressed with zstd', async () => {
  const many = await at.image('many', { layers: 60, layerBytes: 20_000 })
  await push(many.layout, 'library/many:v1')
  expect((await at.manifest('library/many', 'v1')).body.layers).toHaveLength(60)
  const zstd = await at.image('zstd', { layers: 2, layerBytes: 50_000, compression: 'zstd' })
  await push(zstd.layout, 'library/zstd:v1')
  expect((await at.manifest('library/zstd', 'v1')).digest).toBe(expected(zstd.digest))
})

test('skopeo lists tags, inspects, copies between repositories and deletes', async () => {
  const tags = JSON.parse(
    await at.sh(`skopeo list-tags --tls-verify=false docker://${at.host}/library/again`),
  )
  expect(tags.Tags).toEqual(['v1', 'v2'])
  const before = at.registry.blobBytes
  await at.sh(
    `skopeo copy --src-tls-verify=false --dest-tls-verify=false docker://${at.host}/library/again:v1 docker://${at.host}/library/copied:v1`,
  )
  // Layers are mounted; skopeo never mounts a config.
  const config = (await at.manifest('library/again', 'v1')).body.config!
  expect(at.registry.blobBytes - before).toBe(config.size)
  await at.sh(`skopeo delete --tls-verify=false docker://${at.host}/library/copied:v1`)
  await expect(at.manifest('library/copied', 'v1')).rejects.toThrow('404')
})
