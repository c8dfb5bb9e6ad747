import { afterAll, beforeAll, expect, test } from 'vitest'
import { expected, openWorkplace, type Workplace } from './workplace.ts'

let at: Workplace
const storage = '--root storage --runroot run --storage-driver vfs'
beforeAll(async () => {
  at = await openWorkplace()
  await at.sh(`buildah login --tls-verify=false -u "$LOGIN" -p $PASSWORD ${at.host}`)
})
afterAll(() => at.close())

test('buildah builds an image from scratch, pushes it and pulls it into an empty storage', async () => {
  await at.sh(`
    head -c 300000 /dev/urandom > payload
    container=$(buildah ${storage} from scratch)
    buildah ${storage} copy $container payload /payload
    buildah ${storage} commit -q $container built
    buildah ${storage} push --tls-verify=false --digestfile digest built docker://${at.host}/library/built:v1`)
  const digest = (await at.sh('cat digest')).trim()
  expect((await at.manifest('library/built', 'v1')).digest).toBe(expected(digest))
  const before = at.registry.blobBytes
  await at.sh(`buildah ${storage} push --tls-verify=false built docker://${at.host}/library/built:v2`)
  expect(at.registry.blobBytes - before).toBeLessThan(3000) // its config, which buildah always sends
  await at.sh(`
    buildah --root other --runroot run2 --storage-driver vfs pull -q --tls-verify=false ${at.host}/library/built:v1
    container=$(buildah --root other --runroot run2 --storage-driver vfs from --pull-never ${at.host}/library/built:v1)
    cmp payload $(buildah --root other --runroot run2 --storage-driver vfs mount $container)/payload`)
})

test('buildah pushes a manifest list of two architectures', async () => {
  const image = await at.image('multi', { layers: 1, layerBytes: 40_000, architectures: ['amd64', 'arm64'] })
  await at.sh(`
    skopeo copy --all --preserve-digests --dest-tls-verify=false oci:${image.layout}:v1 docker://${at.host}/library/multi:v1
    buildah ${storage} manifest create list
    buildah ${storage} manifest add --tls-verify=false --all list docker://${at.host}/library/multi:v1
    buildah ${storage} manifest push --all --tls-verify=false list docker://${at.host}/library/list:v1`)
  expect((await at.manifest('library/list', 'v1')).body.manifests).toHaveLength(2)
})
