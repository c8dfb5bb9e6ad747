// Signatures as cosign and notation write them, made without those programs: keys by node:crypto, certificates by
// openssl. Cosign: specs/SIGNATURE_SPEC.md of sigstore/cosign, bundles by sigstore/protobuf-specs; notation:
// signature-envelope-jws.md of notaryproject/specifications. test/clients has the programs themselves, where they are.
import { execFileSync } from 'node:child_process'
import { createHash, generateKeyPairSync, type KeyObject, sign, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { FlattenedSign } from 'jose'
import type { Digest } from '../../lib/oci/digest.ts'
import type { Registry } from '../../lib/registry/registry.ts'
import { findTool } from '../tools.ts'
import { IMAGE_CONFIG, pushParts } from './place.ts'

export interface Authority {
  key: KeyObject
  /** PEM. */
  certificate: string
}

const AUTHORITY = [
  ...['[req]', 'distinguished_name=dn', '[dn]', '[ca]', 'default_ca=c', '[p]', 'commonName=supplied'],
  ...[
    '[c]',
    'database=index.txt',
    'new_certs_dir=.',
    'default_md=sha256',
    'serial=serial',
    'policy=p',
    'x509_extensions=ext',
  ],
  ...['unique_subject=no', '[ext]'],
]
const SIMPLE = 'application/vnd.dev.cosign.simplesigning.v1+json'
export const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json'
const NOTATION = 'application/vnd.cncf.notary.signature'

export const ecKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
export const pem = (key: KeyObject) => key.export({ type: 'spki', format: 'pem' }).toString()
export const base64 = (bytes: Uint8Array | string) => Buffer.from(bytes).toString('base64')

/** @param names such as `email:dev@example.com`. @param life seconds since 1970 */
export function certify(
  key: KeyObject,
  subject: string,
  life: { from: number; to: number },
  by?: Authority,
  extensions: string[] = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign'],
): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'entrepot-signer-'))
  const file = (name: string, text?: string | Buffer) => {
    const at = path.join(folder, name)
    if (text !== undefined) writeFileSync(at, text)
    return at
  }
  const text = (private_: KeyObject) => private_.export({ type: 'pkcs8', format: 'pem' })
  try {
    file('index.txt', '')
    file('serial', '4242\n')
    const openssl = (...args: string[]) =>
      execFileSync(findTool('openssl')!, args, { cwd: folder, stdio: 'pipe' })
    file('config', [...AUTHORITY, ...extensions, ''].join('\n'))
    const at = (seconds: number) => {
      const digits = new Date(seconds * 1000).toISOString().replace(/\D/g, '')
      return `${digits.slice(0, 14)}Z`
    }
    file('key', text(key))
    openssl('req', '-new', '-key', 'key', '-subj', subject, '-config', 'config', '-out', 'request')
    if (by) file('ca.pem', by.certificate)
    if (by) file('ca.key', text(by.key))
    const issuer = by ? ['-cert', 'ca.pem', '-keyfile', 'ca.key'] : ['-selfsign', '-keyfile', 'key']
    const times = ['-startdate', at(life.from), '-enddate', at(life.to)]
    const files = ['-config', 'config', '-in', 'request', '-out', 'out', '-notext']
    openssl('ca', '-batch', ...files, ...times, ...issuer)
    return readFileSync(file('out'), 'utf8')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export function authority(subject: string, life: { from: number; to: number }): Authority {
  const { privateKey } = ecKey()
  return { key: privateKey, certificate: certify(privateKey, subject, life) }
}

/** As Fulcio gives them: the identity in the alternative name, the issuer in its own extension. */
export function keylessCertificate(
  by: Authority,
  identity: string,
  issuer: string,
  life: { from: number; to: number },
): Authority {
  const { privateKey } = ecKey()
  const extensions = [
    'extendedKeyUsage=codeSigning',
    `subjectAltName=critical,${identity}`,
    `1.3.6.1.4.1.57264.1.8=ASN1:UTF8String:${issuer}`,
  ]
  return { key: privateKey, certificate: certify(privateKey, '/CN=sigstore', life, by, extensions) }
}

export function simplePayload(digest: string): string {
  return JSON.stringify({
    critical: {
      identity: { 'docker-reference': 'registry.example.com/library/app' },
      image: { 'docker-manifest-digest': digest },
      type: 'cosign container image signature',
    },
    optional: null,
  })
}

export function signed(key: KeyObject, bytes: Uint8Array | string): string {
  return base64(sign(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', Buffer.from(bytes), key))
}

/** Under the tag of older cosigns. @param annotations besides the signature */
export function pushSimple(
  registry: Registry,
  image: Digest,
  payload: string,
  signature: string,
  annotations: Record<string, string> = {},
): Promise<Digest> {
  const layer = {
    mediaType: SIMPLE,
    text: payload,
    annotations: { 'dev.cosignproject.cosign/signature': signature, ...annotations },
  }
  return pushParts(registry, `${image.replace(':', '-')}.sig`, [
    { mediaType: IMAGE_CONFIG, text: '{"sig":1}' },
    layer,
  ])
}

function pushReferrer(
  registry: Registry,
  image: Digest,
  artifactType: string,
  mediaType: string,
  text: string,
) {
  const subject = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: image, size: 2 }
  const config = { mediaType: artifactType, text: '{}' }
  return pushParts(registry, undefined, [config, { mediaType, text }], { artifactType, subject })
}

/** What cosign 3 writes: an envelope around a statement. */
export function pushBundle(
  registry: Registry,
  image: Digest,
  key: KeyObject,
  options: { digest?: string; predicateType?: string; material?: object } = {},
): Promise<Digest> {
  const statement = JSON.stringify({
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ digest: { sha256: (options.digest ?? image).split(':')[1] } }],
    predicateType: options.predicateType ?? 'https://sigstore.dev/cosign/sign/v1',
  })
  const payloadType = 'application/vnd.in-toto+json'
  const encoded = `DSSEv1 ${payloadType.length} ${payloadType} ${Buffer.byteLength(statement)} ${statement}`
  const bundle = {
    mediaType: BUNDLE,
    verificationMaterial: options.material ?? { publicKey: { hint: '' } },
    dsseEnvelope: {
      payload: base64(statement),
      payloadType,
      signatures: [{ sig: signed(key, encoded) }],
    },
  }
  return pushReferrer(registry, image, BUNDLE, BUNDLE, JSON.stringify(bundle))
}

/** As Rekor signs an entry: for the annotation of simple signing. */
export function logEntry(log: KeyObject, payload: string, signature: string, integratedTime: number): string {
  const body = base64(
    JSON.stringify({
      apiVersion: '0.0.1',
      kind: 'hashedrekord',
      spec: {
        data: { hash: { algorithm: 'sha256', value: createHash('sha256').update(payload).digest('hex') } },
        signature: { content: signature },
      },
    }),
  )
  const Payload = { body, integratedTime, logIndex: 7, logID: 'ab'.repeat(32) }
  const canonical = JSON.stringify({ body, integratedTime, logID: Payload.logID, logIndex: 7 })
  return JSON.stringify({ SignedEntryTimestamp: signed(log, canonical), Payload })
}

export async function pushNotation(
  registry: Registry,
  image: Digest,
  key: KeyObject,
  chain: string[],
  options: { digest?: string; expiry?: string; forged?: boolean } = {},
): Promise<Digest> {
  const payload = JSON.stringify({
    targetArtifact: {
      digest: options.digest ?? image,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
    },
  })
  const scheme = 'io.cncf.notary.signingScheme'
  const { expiry } = options
  const jws = await new FlattenedSign(Buffer.from(payload))
    .setProtectedHeader({
      alg: 'ES256',
      cty: 'application/vnd.cncf.notary.payload.v1+json',
      crit: [scheme, ...(expiry ? ['io.cncf.notary.expiry'] : [])],
      [scheme]: 'notary.x509',
      'io.cncf.notary.signingTime': '2026-11-28T00:00:00Z',
      ...(expiry ? { 'io.cncf.notary.expiry': expiry } : {}),
    })
    .sign(key, { crit: { [scheme]: true, 'io.cncf.notary.expiry': true } })
  const x5c = chain.map((each) => base64(new X509Certificate(each).raw))
  if (options.forged) jws.payload = Buffer.from(`${payload} `).toString('base64url')
  return pushReferrer(
    registry,
    image,
    NOTATION,
    'application/jose+json',
    JSON.stringify({ ...jws, header: { x5c, 'io.cncf.notary.signingAgent': 'test' } }),
  )
}
