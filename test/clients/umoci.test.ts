import { afterAll, beforeAll, expect, test } from 'vitest'
import { expected, openWorkplace, type Workplace } from './workplace.ts'

let at: Workplace
beforeAll(async () => {
  at = await openWorkplace()
  await at.sh(`echo $PASSWORD | skopeo login --tls-verify=false -u "$LOGIN" --password-stdin ${at.host}`)
})
afterAll(() => at.close())

test('an image made by umoci goes up and comes back with the file that was put in', async () => {
  await at.sh(`
    umoci init --layout made && umoci new --image made:v1
    head -c 200000 /dev/urandom > payload
    umoci insert --image made:v1 payload /payload
    skopeo copy --preserve-digests --dest-tls-verify=false oci:made:v1 docker://${at.host}/library/umoci:v1
    skopeo copy --preserve-digests --src-tls-verify=false docker://${at.host}/library/umoci:v1 oci:back:v1
    umoci unpack --image back:v1 bundle
    cmp payload bundle/rootfs/payload`)
  const digest = await at.sh(`jq -r '.manifests[0].digest' made/index.json`)
  expect((await at.manifest('library/umoci', 'v1')).digest).toBe(expected(digest.trim()))
})
