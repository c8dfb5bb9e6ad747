// The registry's own keys: HMAC secrets of upload sessions, ES256 keys of tokens, AES keys of other people's secrets. Kept
// as one document, in a file or in a secret of the cloud; several processes may hold copies of it.
import { randomBytes } from 'node:crypto'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import type { Clock } from '../registry/ports.ts'
import type { SessionKeys } from '../registry/session-token.ts'

/** A new key signs only after every process had time to read it: nobody meets a signature it cannot check. */
const ACTIVE_AFTER_MS = 600_000
/** How often a process reads the document again; well within the delay. */
export const REFRESH_EVERY_MS = 240_000
/** Older keys have outlived every token they signed. */
const KEPT_MS = 32 * 86_400_000

export interface SigningKey {
  kid: string
  createdAt: string
  jwk: JWK
}

interface SessionKey {
  id: string
  /** Base64url; the HMAC key is this text itself, because that is what CloudFront's crypto takes for certain. */
  secret: string
  createdAt?: string
}

export interface SealingKey {
  id: string
  /** 32 bytes, base64url. */
  secret: string
  createdAt: string
}

export interface SecretsDocument {
  v: 1
  session: SessionKey[]
  signing: SigningKey[]
  /** Never dropped: what they sealed is kept for as long as people want. Documents of older versions have none. */
  sealing?: SealingKey[]
  /** What the edge sends along, so that requests around it are recognised. */
  origin?: string
}

/** @throws SyntaxError when the document is no document of ours */
export function parseSecrets(text: string): SecretsDocument {
  const document = JSON.parse(text) as SecretsDocument
  if (document.v !== 1 || !document.session?.length || !document.signing?.length)
    throw new SyntaxError('keys are missing')
  return document
}

export async function newSecrets(): Promise<SecretsDocument> {
  return { v: 1, session: [newSessionKey()], signing: [await newSigningKey()], sealing: [newSealingKey()] }
}

/** A document of an older version with what it lacks. @returns undefined when it lacks nothing */
export function completed(document: SecretsDocument): SecretsDocument | undefined {
  return document.sealing?.length ? undefined : { ...document, sealing: [newSealingKey()] }
}

/** Adds a key of each kind, and drops those that nothing valid was signed with. */
export async function withNewKeys(document: SecretsDocument, nowMs: number): Promise<SecretsDocument> {
  const kept = <T extends { createdAt?: string }>(keys: T[]) =>
    keys.filter((key, index) => index >= keys.length - 1 || createdAtMs(key) > nowMs - KEPT_MS)
  return {
    ...document,
    session: [...kept(document.session), newSessionKey()],
    signing: [...kept(document.signing), await newSigningKey()],
    sealing: [...(document.sealing ?? []), newSealingKey()],
  }
}

/** The keys in use. What a document read later says takes effect with the next call. */
export class Secrets {
  #document: SecretsDocument
  readonly #clock: Clock

  constructor(document: SecretsDocument, clock: Clock) {
    this.#document = document
    this.#clock = clock
  }

  /** As it was read last; for whoever has to hand it on. */
  get document(): SecretsDocument {
    return this.#document
  }

  replace(document: SecretsDocument): void {
    this.#document = document
  }

  get sessionKeys(): SessionKeys {
    const { session } = this.#document
    return {
      currentId: this.#active(session).id,
      secrets: new Map(session.map(({ id, secret }) => [id, Buffer.from(secret)])),
    }
  }

  /** All verify. */
  get signingKeys(): SigningKey[] {
    return this.#document.signing
  }

  get activeSigningKey(): SigningKey {
    return this.#active(this.#document.signing)
  }

  /** All open what they sealed; empty where the document is of an older version and could not be completed. */
  get sealingKeys(): SealingKey[] {
    return this.#document.sealing ?? []
  }

  get activeSealingKey(): SealingKey | undefined {
    return this.sealingKeys.length === 0 ? undefined : this.#active(this.sealingKeys)
  }

  #active<T extends { createdAt?: string }>(keys: T[]): T {
    const before = this.#clock.nowMs() - ACTIVE_AFTER_MS
    return keys.findLast((key) => createdAtMs(key) <= before) ?? keys[0]!
  }
}

function createdAtMs({ createdAt }: { createdAt?: string }): number {
  return createdAt === undefined ? 0 : Date.parse(createdAt)
}

function newSessionKey(): SessionKey {
  return {
    id: randomBytes(3).toString('hex'),
    secret: randomBytes(32).toString('base64url'),
    createdAt: new Date().toISOString(),
  }
}

function newSealingKey(): SealingKey {
  return {
    id: randomBytes(3).toString('hex'),
    secret: randomBytes(32).toString('base64url'),
    createdAt: new Date().toISOString(),
  }
}

async function newSigningKey(): Promise<SigningKey> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const kid = randomBytes(9).toString('base64url')
  return {
    kid,
    createdAt: new Date().toISOString(),
    jwk: { ...(await exportJWK(privateKey)), kid, alg: 'ES256' },
  }
}
