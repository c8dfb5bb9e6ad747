import { afterAll, beforeAll, expect, test } from 'vitest'
import { AS_ADMIN } from './login.ts'
import { expected, openWorkplace, type Workplace } from './workplace.ts'

let at: Workplace
beforeAll(async () => {
  at = await openWorkplace()
  await at.sh(`crane auth login ${at.host} -u "$LOGIN" -p $PASSWORD --insecure`)
})
afterAll(() => at.close())

test('crane pushes a layout, pulls it back and finds the same digest', async () => {
  const image = await at.image('image', { layers: 5, layerBytes: 100_000 })
  await at.sh(`crane push --insecure ${image.layout} ${at.host}/library/crane:v1`)
  expect((await at.sh(`crane digest --insecure ${at.host}/library/crane:v1`)).trim()).toBe(
    expected(image.digest),
  )
  await at.sh(
    `crane pull --insecure --format oci ${at.host}/library/crane:v1 back && crane validate --insecure --remote ${at.host}/library/crane:v1`,
  )
})

test('a second push of the same image by crane moves no blob byte', async () => {
  const image = await at.image('again', { layers: 3, layerBytes: 100_000 })
  await at.sh(`crane push --insecure ${image.layout} ${at.host}/library/again:v1`)
  const before = at.registry.blobBytes
  await at.sh(`crane push --insecure ${image.layout} ${at.host}/library/again:v2`)
  expect(at.registry.blobBytes).toBe(before)
})

test('crane copies by mount, tags, lists, catalogs and deletes', async () => {
  const before = at.registry.blobBytes
  await at.sh(`crane copy --insecure ${at.host}/library/again:v1 ${at.host}/library/copied:v1`)
  expect(at.registry.blobBytes).toBe(before)
  await at.sh(`crane tag --insecure ${at.host}/library/copied:v1 latest`)
  expect((await at.sh(`crane ls --insecure ${at.host}/library/copied`)).trim().split('\n')).toEqual([
    'latest',
    'v1',
  ])
  if (AS_ADMIN) expect(await at.sh(`crane catalog --insecure ${at.host}`)).toContain('library/copied')
  const digest = (await at.sh(`crane digest --insecure ${at.host}/library/copied:v1`)).trim()
  await at.sh(`crane delete --insecure ${at.host}/library/copied@${digest}`)
  await expect(at.manifest('library/copied', 'v1')).rejects.toThrow('404')
})

test('crane pushes and pulls a layer of 1 GiB', async () => {
  const image = await at.image('giant', { layers: 1, layerBytes: 2 ** 30, compression: 'none' })
  await at.sh(`crane push --insecure ${image.layout} ${at.host}/library/giant:v1`)
  const layer = image.blobs.at(-1)!
  const sum = await at.sh(`crane blob --insecure ${at.host}/library/giant@${layer.digest} | sha256sum`)
  expect(`sha256:${sum.split(' ')[0]}`).toBe(expected(layer.digest))
}, 300_000)
