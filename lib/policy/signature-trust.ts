// Whose signatures a project takes: public keys, identities with their certificate authorities, certificates.
import { createPublicKey, X509Certificate } from 'node:crypto'
import { RegistryError } from '../oci/errors.ts'
import { keys } from '../registry/keys.ts'
import type { Attributes, Item } from '../registry/ports.ts'
import type { Project } from '../registry/projects.ts'
import { forgetRecent } from '../registry/recent-items.ts'
import type { Registry } from '../registry/registry.ts'

export interface KeylessIdentity {
  /** The certificate's subject alternative name: an e-mail address or a URI. */
  identity: string
  /** Of the OpenID Connect token that the certificate was given for. */
  issuer: string
}

/** Keys and certificates are PEM. */
export interface SignatureTrust {
  cosignKeys: string[]
  keyless: KeylessIdentity[]
  /** Authorities of keyless certificates. */
  fulcioCertificates: string[]
  /** Of the log that says when a keyless signature was made. Without one the certificate has to be valid now. */
  rekorKey?: string
  notationCertificates: string[]
}

export const NO_TRUST: SignatureTrust = {
  cosignKeys: [],
  keyless: [],
  fulcioCertificates: [],
  notationCertificates: [],
}

const LIST_LIMIT = 20
const PEM_LIMIT = 8192
const TEXT_LIMIT = 1024

export function trustsCosign({ cosignKeys, keyless }: SignatureTrust): boolean {
  return cosignKeys.length > 0 || keyless.length > 0
}

/** @param item undefined, or of an earlier project of that name: nobody is trusted */
export function trustIn(item: Item | undefined, projectId: string): SignatureTrust {
  if (item?.attributes.projectId !== projectId) return NO_TRUST
  return item.attributes.trust as unknown as SignatureTrust
}

export async function readTrust(registry: Registry, { name, id }: Project): Promise<SignatureTrust> {
  return trustIn(await registry.metadata.get(keys.projectTrust(name)), id)
}

/** Replaces it. @throws REQUEST_INVALID saying which key or certificate is none */
export async function putTrust(registry: Registry, project: Project, trust: SignatureTrust): Promise<void> {
  checkTrust(trust)
  const key = keys.projectTrust(project.name)
  const attributes = { v: 1, projectId: project.id, trust: trust as unknown as Attributes }
  await registry.metadata.batchWrite([{ kind: 'put', item: { ...key, attributes } }])
  forgetRecent(registry.metadata, key)
}

/** @throws REQUEST_INVALID */
export function checkTrust(trust: SignatureTrust): void {
  const { cosignKeys, keyless, fulcioCertificates, rekorKey, notationCertificates } = trust
  const lists = { cosign_keys: cosignKeys, keyless, fulcioCertificates, notationCertificates }
  for (const [name, list] of Object.entries(lists))
    if (list.length > LIST_LIMIT) throw invalid(`${name} has more than ${LIST_LIMIT} entries`)
  for (const [at, pem] of cosignKeys.entries()) checkKey(pem, `cosign_keys[${at}]`)
  if (rekorKey !== undefined) checkKey(rekorKey, 'rekor_key')
  for (const [at, pem] of fulcioCertificates.entries()) checkCertificate(pem, `fulcio_certificates[${at}]`)
  for (const [at, pem] of notationCertificates.entries())
    checkCertificate(pem, `notation_certificates[${at}]`)
  for (const [at, { identity, issuer }] of keyless.entries()) {
    if (identity === '' || issuer === '') throw invalid(`keyless[${at}] needs an identity and an issuer`)
    if (identity.length > TEXT_LIMIT || issuer.length > TEXT_LIMIT)
      throw invalid(`keyless[${at}] is longer than ${TEXT_LIMIT} characters`)
  }
  if (keyless.length > 0 && fulcioCertificates.length === 0)
    throw invalid('keyless identities need fulcio_certificates: who may vouch for them')
}

function checkKey(pem: string, where: string): void {
  if (pem.length > PEM_LIMIT) throw invalid(`${where} is longer than ${PEM_LIMIT} characters`)
  if (/PRIVATE KEY/.test(pem)) throw invalid(`${where} is a private key: give its public half, and keep it`)
  try {
    createPublicKey(pem)
  } catch {
    throw invalid(`${where} is no public key in PEM`)
  }
}

function checkCertificate(pem: string, where: string): void {
  if (pem.length > PEM_LIMIT) throw invalid(`${where} is longer than ${PEM_LIMIT} characters`)
  try {
    new X509Certificate(pem)
  } catch {
    throw invalid(`${where} is no certificate in PEM`)
  }
}

function invalid(why: string): RegistryError {
  return new RegistryError('REQUEST_INVALID', why)
}
