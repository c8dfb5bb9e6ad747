// Hashes of secrets people choose: scrypt, with the algorithm beside each so that it can be changed.
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import type { Attributes } from '../registry/ports.ts'

/** 32 MiB and about 60 ms a try. */
const SCRYPT = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 }
const HASH_BYTES = 32
/** More at once would let a flood of logins take the machine's memory. */
const AT_ONCE = 4
/** In UTF-16 units; longer ones are refused before they are hashed. */
export const PASSWORD_LIMIT = 1024

export interface PasswordHash {
  algorithm: string
  salt: string
  hash: string
}

/** Matches nothing, and takes as long. */
const NOBODYS: PasswordHash = {
  algorithm: '',
  salt: randomBytes(16).toString('base64url'),
  hash: randomBytes(HASH_BYTES).toString('base64url'),
}

export async function hashPassword(password: string): Promise<PasswordHash> {
  const salt = randomBytes(16)
  return {
    algorithm: `scrypt:${SCRYPT.N}:${SCRYPT.r}:${SCRYPT.p}`,
    salt: salt.toString('base64url'),
    hash: (await derive(password, salt)).toString('base64url'),
  }
}

/** In constant time, and with the same work when there is no hash to compare with. */
export async function matchesHash(password: string, stored: PasswordHash | undefined): Promise<boolean> {
  if (password.length > PASSWORD_LIMIT) return false
  const { salt, hash } = stored ?? NOBODYS
  const derived = await derive(password, Buffer.from(salt, 'base64url'))
  return timingSafeEqual(derived, Buffer.from(hash, 'base64url')) && stored !== undefined
}

/** @returns undefined where the item has no such secret */
export function hashIn(attributes: Attributes): PasswordHash | undefined {
  const { algorithm, salt, hash } = attributes
  if (typeof salt !== 'string' || typeof hash !== 'string') return undefined
  return { algorithm: String(algorithm), salt, hash }
}

let running = 0
const queue: (() => void)[] = []

async function derive(password: string, salt: Uint8Array): Promise<Buffer> {
  if (running >= AT_ONCE) await new Promise<void>((resolve) => queue.push(resolve))
  running += 1
  try {
    return await new Promise((resolve, reject) =>
      scrypt(password, salt, HASH_BYTES, SCRYPT, (error, key) => (error ? reject(error) : resolve(key))),
    )
  } finally {
    running -= 1
    queue.shift()?.()
  }
}
