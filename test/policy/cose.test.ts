// Notation's COSE envelopes that are not what they should be. That the program's own are read is test/signing's matter.
import { type KeyObject, sign, X509Certificate } from 'node:crypto'
import { encode, Tagged } from 'cborg'
import { beforeAll, expect, test } from 'vitest'
import type { Digest } from '../../lib/oci/digest.ts'
import { notationFault } from '../../lib/policy/notation.ts'
import { NO_TRUST } from '../../lib/policy/signature-trust.ts'
import { authority, certify, ecKey } from './signer.ts'

const IMAGE = `sha256:${'ab'.repeat(32)}` as Digest
const NOW_SECONDS = 1_795_000_000
const LIFE = { from: NOW_SECONDS - 1000, to: NOW_SECONDS + 86_400 }
const SCHEME = 'io.cncf.notary.signingScheme'
const EXPIRY = 'io.cncf.notary.expiry'

let key: KeyObject
let certificate: Uint8Array
let trusted: string
beforeAll(() => {
  const root = authority('/CN=Works', LIFE)
  trusted = root.certificate
  key = ecKey().privateKey
  const extensions = ['extendedKeyUsage=codeSigning', 'keyUsage=digitalSignature']
  certificate = new X509Certificate(certify(key, '/CN=builder', LIFE, root, extensions)).raw
})

interface Choices {
  digest?: string
  /** Besides the usual headers, or instead of them. */
  header?: [unknown, unknown][]
  unprotected?: [unknown, unknown][]
  /** What is in the envelope, though something else was signed. */
  payload?: string
}

function envelope({ digest = IMAGE, header = [], unprotected, payload }: Choices = {}): Uint8Array {
  const text = JSON.stringify({ targetArtifact: { digest, mediaType: 'x', size: 2 } })
  const headers = new Map<unknown, unknown>([
    [1, -7],
    [2, [SCHEME]],
    [3, 'application/vnd.cncf.notary.payload.v1+json'],
    [SCHEME, 'notary.x509'],
    ...header,
  ])
  const protectedBytes = encode(headers)
  const signed = encode(['Signature1', protectedBytes, new Uint8Array(), Buffer.from(text)])
  const signature = sign('sha256', signed, { key, dsaEncoding: 'ieee-p1363' })
  const more = new Map<unknown, unknown>(unprotected ?? [[33, [certificate]]])
  return encode(new Tagged(18, [protectedBytes, more, Buffer.from(payload ?? text), signature]))
}

const judged = (bytes: Uint8Array) =>
  notationFault(
    IMAGE,
    'application/cose',
    bytes,
    { ...NO_TRUST, notationCertificates: [trusted] },
    NOW_SECONDS * 1000,
  )

test('an envelope that somebody trusted made of this image counts, with one certificate as with a chain', async () => {
  expect(await judged(envelope())).toBeUndefined()
  expect(await judged(envelope({ unprotected: [[33, certificate]] }))).toBeUndefined()
  expect(await judged(envelope({ header: [[EXPIRY, new Tagged(1, NOW_SECONDS + 10)]] }))).toBeUndefined()
})

const OTHER = `sha256:${'cd'.repeat(32)}`
test.each<[string, Choices, string]>([
  ['of another image', { digest: OTHER }, `it is a signature of another image, ${OTHER}`],
  [
    'whose payload was changed',
    { payload: JSON.stringify({ targetArtifact: { digest: IMAGE } }) },
    'it is forged: the key of its certificate did not make it',
  ],
  ['of another algorithm than its key is for', { header: [[1, -37]] }, 'it is forged'],
  ['of an algorithm nobody knows', { header: [[1, -999]] }, 'it is forged'],
  ['without a certificate', { unprotected: [] }, 'it has no certificate'],
  [
    'with something else for a certificate',
    { unprotected: [[33, [Buffer.from('x')]]] },
    'it has no certificate',
  ],
  ['that has ended', { header: [[EXPIRY, new Tagged(1, NOW_SECONDS - 10)]] }, 'it ended at 20'],
  ['that ends at no time', { header: [[EXPIRY, 'tomorrow']] }, 'it ended at no time'],
  [
    'that demands what is not known',
    { header: [[2, [SCHEME, 'io.cncf.notary.verificationPlugin']]] },
    'it demands io.cncf.notary.verificationPlugin, which is not known here',
  ],
  [
    'of another scheme',
    { header: [[SCHEME, 'notary.x509.signingAuthority']] },
    'its scheme, notary.x509.signingAuthority, is not known here',
  ],
  ['of something that is no image', { header: [[3, 'text/plain']] }, 'it is no signature of an image'],
])('an envelope %s does not count', async (_, choices, why) => {
  expect(await judged(envelope(choices))).toContain(why)
})

test('what is no envelope is said to be none', async () => {
  for (const bytes of [Buffer.from('{}'), encode([1, 2]), encode(new Tagged(17, [])), Buffer.alloc(0)])
    expect(await judged(bytes)).toBe('it is no signature that can be read')
})
