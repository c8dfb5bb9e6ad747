import { afterAll, beforeAll, expect, test } from 'vitest'
import { expected, openWorkplace, type Workplace } from './workplace.ts'

let at: Workplace
beforeAll(async () => {
  at = await openWorkplace()
})
afterAll(() => at.close())

test('notation signs an image, lists the signature as a referrer and verifies it', async () => {
  const image = await at.image('image', { layers: 1, layerBytes: 10_000 })
  const name = `${at.host}/library/notation@${image.digest}`
  const login = '--insecure-registry -u "$LOGIN" -p $PASSWORD'
  await at.sh(
    `oras cp --to-plain-http --from-oci-layout ${image.layout}:v1 --to-username "$LOGIN" --to-password $PASSWORD ${at.host}/library/notation:v1`,
  )
  await at.sh(`notation cert generate-test --default test && notation sign ${login} ${name}`)
  const [signature] = await at.referrers('library/notation', image.digest)
  expect(signature?.artifactType).toBe('application/vnd.cncf.notary.signature')
  await at.sh(`cat > policy.json <<EOF
{"version":"1.0","trustPolicies":[{"name":"all","registryScopes":["*"],"signatureVerification":{"level":"strict"},"trustStores":["ca:test"],"trustedIdentities":["*"]}]}
EOF
notation policy import --force policy.json`)
  expect(await at.sh(`notation verify ${login} ${name}`)).toContain(expected(image.digest))
})
