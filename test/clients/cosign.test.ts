import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorkplace, type Workplace } from './workplace.ts'

let at: Workplace
beforeAll(async () => {
  at = await openWorkplace()
  await at.sh(`cosign login ${at.host} -u "$LOGIN" -p $PASSWORD`)
})
afterAll(() => at.close())

test('cosign signs an image and verifies the signature, and a wrong key does not verify', async () => {
  const image = await at.image('image', { layers: 1, layerBytes: 10_000 })
  const name = `${at.host}/library/signed@${image.digest}`
  const environment = { COSIGN_PASSWORD: 'x' }
  await at.sh(
    `oras cp --to-plain-http --from-oci-layout ${image.layout}:v1 --to-username "$LOGIN" --to-password $PASSWORD ${at.host}/library/signed:v1`,
  )
  await at.sh(
    'cosign generate-key-pair --output-key-prefix right && cosign generate-key-pair --output-key-prefix wrong',
    environment,
  )
  await at.sh(
    `cosign sign --key right.key --tlog-upload=false --use-signing-config=false --allow-insecure-registry --allow-http-registry --yes ${name}`,
    environment,
  )
  const verify = (key: string) =>
    at.sh(
      `cosign verify --key ${key}.pub --insecure-ignore-tlog=true --allow-insecure-registry --allow-http-registry ${name}`,
    )
  expect(await verify('right')).toContain(image.digest)
  await expect(verify('wrong')).rejects.toThrow()
})
