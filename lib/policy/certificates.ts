// Chains of X.509 certificates, up to one that a project trusts.
import { X509Certificate } from 'node:crypto'

const CODE_SIGNING = '1.3.6.1.5.5.7.3.3'
const CHAIN_LIMIT = 10

/** @returns undefined for what is none */
export function certificateIn(bytesOrPem: Uint8Array | string): X509Certificate | undefined {
  try {
    return new X509Certificate(bytesOrPem)
  } catch {
    return undefined
  }
}

/** Every certificate of a text. Throws nothing: what is none is left out. */
export function certificatesIn(pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? []
  return blocks.slice(0, CHAIN_LIMIT).flatMap((block) => certificateIn(block) ?? [])
}

/**
 * @param chain the signer's certificate first, each one issued by the next or by one that is trusted
 * @param atMs when all of them have to be valid
 * @returns why the signer's certificate is not to be trusted
 */
export function chainFault(
  chain: readonly X509Certificate[],
  trusted: readonly X509Certificate[],
  atMs: number,
): string | undefined {
  const [leaf] = chain
  if (!leaf) return 'it has no certificate'
  if (chain.length > CHAIN_LIMIT) return `its chain has more than ${CHAIN_LIMIT} certificates`
  const purposes = leaf.keyUsage as string[] | undefined
  if (purposes && !purposes.includes(CODE_SIGNING)) return 'its certificate is not one for signing code'
  for (const [at, certificate] of chain.entries()) {
    const invalid = validityFault(certificate, atMs)
    if (invalid) return invalid
    if (trusted.some((each) => each.raw.equals(certificate.raw))) return undefined
    const anchor = trusted.find((each) => hasIssued(each, certificate))
    if (anchor) return validityFault(anchor, atMs)
    const next = chain[at + 1]
    if (!next || !hasIssued(next, certificate)) break
  }
  return `its certificate (${nameOf(leaf)}) was not issued by an authority the project trusts`
}

function hasIssued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}

function validityFault(certificate: X509Certificate, atMs: number): string | undefined {
  const { validFromDate, validToDate } = certificate
  if (atMs > validToDate.getTime())
    return `its certificate (${nameOf(certificate)}) expired at ${validToDate.toISOString()}`
  if (atMs < validFromDate.getTime())
    return `its certificate (${nameOf(certificate)}) is valid only from ${validFromDate.toISOString()}`
  return undefined
}

function nameOf({ subject, subjectAltName }: X509Certificate): string {
  return (subject || subjectAltName || 'without a name').replaceAll('\n', ', ').slice(0, 200)
}
