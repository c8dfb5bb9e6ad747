import { afterAll, beforeAll, expect, test } from 'vitest'
import { expected, openWorkplace, type Workplace } from './workplace.ts'

const storage = '--root storage --runroot run --storage-driver vfs'
let at: Workplace
beforeAll(async () => {
  at = await openWorkplace()
  await at.sh(
    `echo $PASSWORD | podman ${storage} login --tls-verify=false -u "$LOGIN" --password-stdin ${at.host}`,
  )
})
afterAll(() => at.close())

test('podman pulls an image by tag and by digest, and pushes it elsewhere', async () => {
  const image = await at.image('image', { layers: 3, layerBytes: 100_000 })
  await at.sh(
    `skopeo copy --preserve-digests --dest-tls-verify=false oci:${image.layout}:v1 docker://${at.host}/library/podman:v1`,
  )
  await at.sh(`podman ${storage} pull -q --tls-verify=false ${at.host}/library/podman:v1`)
  await at.sh(`podman ${storage} pull -q --tls-verify=false ${at.host}/library/podman@${image.digest}`)
  const seen = await at.sh(
    `podman ${storage} image inspect --format '{{.Digest}}' ${at.host}/library/podman:v1`,
  )
  expect(seen.trim()).toBe(expected(image.digest))
  await at.sh(`
    podman ${storage} tag ${at.host}/library/podman:v1 ${at.host}/library/pushed:v1
    podman ${storage} push -q --tls-verify=false --digestfile digest ${at.host}/library/pushed:v1`)
  expect((await at.manifest('library/pushed', 'v1')).digest).toBe((await at.sh('cat digest')).trim())
})

test('podman is refused after logout and told to log in', async () => {
  await at.sh(`podman ${storage} logout ${at.host}`)
  await expect(
    at.sh(`podman ${storage} push -q --tls-verify=false ${at.host}/library/pushed:v1`),
  ).rejects.toThrow(/authentication required|unauthorized/)
})
