// Secrets that have to be read again, such as passwords of other registries: sealed with AES-256-GCM under a key of the
// registry's own, so that a copy of the table tells nobody anything.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { RegistryError } from '../oci/errors.ts'
import type { SealingKey } from './secret-keys.ts'

export interface SealingKeys {
  readonly sealingKeys: SealingKey[]
  readonly activeSealingKey: SealingKey | undefined
}

const VERSION = 'v1'
const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * @param place what the secret belongs to, e.g. `registry:3`: it cannot be opened as another's
 * @returns `v1.<key id>.<base64url of nonce, ciphertext and tag>`
 * @throws UNAVAILABLE when the registry's keys are of an older version
 */
export function seal(keys: SealingKeys, secret: string, place: string): string {
  const key = keys.activeSealingKey
  if (!key)
    throw new RegistryError(
      'UNAVAILABLE',
      'the registry’s own keys are of an older version and cannot encrypt secrets: rotate them (entrepot keys rotate)',
    )
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(key.secret, 'base64url'), nonce)
  cipher.setAAD(Buffer.from(place))
  const sealed = Buffer.concat([nonce, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return `${VERSION}.${key.id}.${sealed.toString('base64url')}`
}

/** @throws Error when it was sealed for another place, was altered, or its key is gone */
export function unseal(keys: SealingKeys, sealed: string, place: string): string {
  const [version, id, body = ''] = sealed.split('.')
  const key = keys.sealingKeys.find((each) => each.id === id)
  if (version !== VERSION || !key)
    throw new Error(`the key ${id} that a secret of ${place} needs is not here`)
  const bytes = Buffer.from(body, 'base64url')
  const decipher = createDecipheriv(
    'aes-256-gcm',
    Buffer.from(key.secret, 'base64url'),
    bytes.subarray(0, NONCE_BYTES),
    { authTagLength: TAG_BYTES },
  )
  decipher.setAAD(Buffer.from(place))
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
  const opened = [decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]
  return Buffer.concat(opened).toString('utf8')
}
