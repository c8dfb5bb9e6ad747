// Signatures have to be the image's and made by somebody the project trusts (cosign: keys and identities, notation:
// certificates). In Harbor any accessory of the kind will do; so it does here while nobody is named.
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import type { Digest } from '../../lib/oci/digest.ts'
import type { SignatureTrust } from '../../lib/policy/signature-trust.ts'
import { deleteManifest } from '../../lib/registry/deletion.ts'
import { ACTOR, type TestRegistry, testRegistry } from '../domain/registry.ts'
import { pull, pushRunnable, setPolicy } from './place.ts'
import {
  type Authority,
  authority,
  certify,
  ecKey,
  keylessCertificate,
  logEntry,
  pem,
  pushBundle,
  pushNotation,
  pushSimple,
  signed,
  simplePayload,
} from './signer.ts'

const UNSIGNED = 'The image is not signed by cosign'
const ISSUER = 'https://accounts.example.com'
const WHO = { identity: 'dev@example.com', issuer: ISSUER }

let registry: TestRegistry
let image: Digest
let nowSeconds: number
let life: { from: number; to: number }

beforeEach(async () => {
  registry = await testRegistry()
  image = await pushRunnable(registry, 'v1')
  nowSeconds = registry.clock.now / 1000
  life = { from: nowSeconds - 1000, to: nowSeconds + 86_400 }
})

const cosign = (trust: Partial<SignatureTrust> = {}) =>
  setPolicy(registry, { enable_content_trust_cosign: 'true' }, undefined, trust)
const notation = (...notationCertificates: string[]) =>
  setPolicy(registry, { enable_content_trust: 'true' }, undefined, { notationCertificates })

async function signSimply(key: KeyObject, annotations: Record<string, string> = {}): Promise<void> {
  const payload = simplePayload(image)
  await pushSimple(registry, image, payload, signed(key, payload), annotations)
}

test('without named signers any signature of cosign will do, and without one the pull is refused in Harbor’s words', async () => {
  await cosign()
  expect(await pull(registry, image)).toContain(UNSIGNED)
  await signSimply(ecKey().privateKey)
  expect(await pull(registry, image)).toBe('pulled')
})

test('a signature by a trusted key counts, be it ECDSA, RSA or Ed25519', async () => {
  const pairs = [ecKey(), generateKeyPairSync('rsa', { modulusLength: 2048 }), generateKeyPairSync('ed25519')]
  for (const { publicKey, privateKey } of pairs) {
    await cosign({ cosignKeys: [pem(ecKey().publicKey), pem(publicKey)] })
    expect(await pull(registry, image)).toContain(UNSIGNED)
    await signSimply(privateKey)
    expect(await pull(registry, image)).toBe('pulled')
  }
})

test('a signature by another key, of another image, or forged does not count, and the refusal says why', async () => {
  const { publicKey, privateKey } = ecKey()
  await cosign({ cosignKeys: [pem(publicKey)] })
  await signSimply(ecKey().privateKey)
  expect(await pull(registry, image)).toMatch(/not signed by cosign.*none of the keys the project trusts/)
  const other = simplePayload(`sha256:${'ab'.repeat(32)}`)
  await pushSimple(registry, image, other, signed(privateKey, other))
  expect(await pull(registry, image)).toMatch(/signature of another image, sha256:abab/)
  await pushSimple(registry, image, simplePayload(image), signed(privateKey, other))
  expect(await pull(registry, image)).toMatch(/by another key, or forged/)
  await pushSimple(registry, image, '{"critical":null}', 'nonsense')
  expect(await pull(registry, image)).toMatch(/no signature that can be read/)
})

test('a signature that was taken away stops counting within a minute', async () => {
  const { publicKey, privateKey } = ecKey()
  await cosign({ cosignKeys: [pem(publicKey)] })
  const payload = simplePayload(image)
  const signature = await pushSimple(registry, image, payload, signed(privateKey, payload))
  expect(await pull(registry, image)).toBe('pulled')
  const { attributes } = (await registry.metadata.get({ pk: 'N#library/app', sk: 'N' }))!
  await deleteManifest(registry, attributes.id as string, signature, ACTOR, { cause: 'delete' })
  registry.clock.now += 60_000
  expect(await pull(registry, image)).toContain(UNSIGNED)
})

test('a bundle counts when its statement is of this image and signs it, whoever pushed it', async () => {
  const { publicKey, privateKey } = ecKey()
  await cosign({ cosignKeys: [pem(publicKey)] })
  await pushBundle(registry, image, privateKey, { digest: `sha256:${'cd'.repeat(32)}` })
  expect(await pull(registry, image)).toMatch(/signature of another image/)
  await pushBundle(registry, image, privateKey, { predicateType: 'https://slsa.dev/provenance/v1' })
  expect(await pull(registry, image)).toMatch(/no signature of an image but says/)
  await pushBundle(registry, image, ecKey().privateKey)
  expect(await pull(registry, image)).toContain(UNSIGNED)
  await pushBundle(registry, image, privateKey)
  expect(await pull(registry, image)).toBe('pulled')
})

function keylessTrust(root: Authority, more: Partial<SignatureTrust> = {}) {
  return cosign({ keyless: [WHO], fulcioCertificates: [root.certificate], ...more })
}

test('a keyless signature counts when the identity, its issuer and the authority are the project’s', async () => {
  const root = authority('/CN=Root', life)
  await keylessTrust(root)
  const sign = (by: Authority, identity: string, issuer: string, of = life) => {
    const { key, certificate } = keylessCertificate(by, identity, issuer, of)
    return signSimply(key, { 'dev.sigstore.cosign/certificate': certificate })
  }
  await sign(root, 'email:mallory@example.com', ISSUER)
  expect(await pull(registry, image)).toMatch(/made by mallory@example.com .*whom the project does not trust/)
  await sign(root, `email:${WHO.identity}`, 'https://elsewhere.example.com')
  expect(await pull(registry, image)).toMatch(/https:\/\/elsewhere.example.com/)
  await sign(authority('/CN=Root', life), `email:${WHO.identity}`, ISSUER)
  expect(await pull(registry, image)).toMatch(/not issued by an authority the project trusts/)
  await sign(root, `email:${WHO.identity}`, ISSUER, { from: nowSeconds - 900, to: nowSeconds - 300 })
  expect(await pull(registry, image)).toMatch(/expired at/)
  await sign(root, `email:${WHO.identity}`, ISSUER)
  expect(await pull(registry, image)).toBe('pulled')
})

test('an identity’s certificate that is no authority vouches for nobody else', async () => {
  const root = authority('/CN=Root', life)
  await keylessTrust(root)
  const mallory = keylessCertificate(root, 'email:mallory@example.com', ISSUER, life)
  const made = keylessCertificate(mallory, `email:${WHO.identity}`, ISSUER, life)
  await signSimply(made.key, {
    'dev.sigstore.cosign/certificate': made.certificate,
    'dev.sigstore.cosign/chain': mallory.certificate,
  })
  expect(await pull(registry, image)).toMatch(/not issued by an authority/)
})

test('with a log’s key a certificate that expired since counts, if the log had the signature before', async () => {
  const root = authority('/CN=Root', life)
  const log = ecKey()
  await keylessTrust(root, { rekorKey: pem(log.publicKey) })
  const brief = { from: nowSeconds - 900, to: nowSeconds - 300 }
  const { key, certificate } = keylessCertificate(root, `email:${WHO.identity}`, ISSUER, brief)
  const payload = simplePayload(image)
  const signature = signed(key, payload)
  const attempt = async (bundle?: string) => {
    const entry = bundle === undefined ? {} : { 'dev.sigstore.cosign/bundle': bundle }
    const annotations = { 'dev.sigstore.cosign/certificate': certificate, ...entry }
    await pushSimple(registry, image, payload, signature, annotations)
    return pull(registry, image)
  }
  expect(await attempt()).toMatch(/no entry of the log/)
  expect(await attempt(logEntry(ecKey().privateKey, payload, signature, nowSeconds - 600))).toMatch(
    /has not signed its entry/,
  )
  expect(await attempt(logEntry(log.privateKey, payload, signed(key, 'x'), nowSeconds - 600))).toMatch(
    /entry in the log is of another signature/,
  )
  expect(await attempt(logEntry(log.privateKey, payload, signature, nowSeconds - 10))).toMatch(/expired at/)
  expect(await attempt(logEntry(log.privateKey, payload, signature, nowSeconds - 600))).toBe('pulled')
})

test('a keyless bundle carries its certificate', async () => {
  const root = authority('/CN=Root', life)
  await keylessTrust(root)
  const { key, certificate } = keylessCertificate(root, `email:${WHO.identity}`, ISSUER, life)
  const rawBytes = certificate.replace(/-----[^-]+-----|\s/g, '')
  await pushBundle(registry, image, ecKey().privateKey, { material: { certificate: { rawBytes } } })
  expect(await pull(registry, image)).toMatch(/forged/)
  await pushBundle(registry, image, key, { material: { certificate: { rawBytes } } })
  expect(await pull(registry, image)).toBe('pulled')
})

test('notation’s signature counts when its certificate leads to one the project trusts', async () => {
  const root = authority('/CN=Works', life)
  const { privateKey } = ecKey()
  const leaf = (of = life) =>
    certify(privateKey, '/CN=builder', of, root, [
      'extendedKeyUsage=codeSigning',
      'keyUsage=digitalSignature',
    ])
  await notation(root.certificate)
  expect(await pull(registry, image)).toContain('The image is not signed by notation')
  const sign = async (chain: string[], options = {}) => {
    image = await pushRunnable(registry) // a refusal names three faults at most
    await pushNotation(registry, image, privateKey, chain, options)
    return pull(registry, image)
  }
  expect(await sign([leaf()], { digest: `sha256:${'ef'.repeat(32)}` })).toMatch(/signature of another image/)
  expect(await sign([leaf()], { forged: true })).toMatch(/forged/)
  expect(await sign([leaf()], { expiry: '2020-01-01T00:00:00Z' })).toMatch(/ended at 2020/)
  expect(await sign([leaf({ from: nowSeconds - 500, to: nowSeconds - 1 })])).toContain('The image is not')
  const stranger = authority('/CN=Stranger', life)
  await notation(stranger.certificate)
  expect(await sign([leaf(), root.certificate])).toMatch(/not issued by an authority/)
  await notation(root.certificate)
  expect(await sign([leaf(), root.certificate])).toBe('pulled')
  registry.clock.now += 2 * 86_400_000
  expect(await pull(registry, image)).toMatch(/expired at/)
})
