// Secrets of the local registry: HMAC keys of upload sessions and ES256 keys of tokens, in a file of the owner's.
import { randomBytes } from 'node:crypto'
import { open, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import type { SigningKey } from '../access/tokens.ts'
import type { SessionKeys } from '../registry/session-token.ts'
import { renameDurably } from './durable-files.ts'

export interface Secrets {
  sessionKeys: SessionKeys
  /** The newest signs, all verify. */
  signingKeys: SigningKey[]
}

interface SecretsFile {
  v: 1
  session: { id: string; secret: string }[]
  signing: { kid: string; createdAt: string; jwk: JWK }[]
}

const OTHERS = 0o077

/** @throws Error, in one line, when others can read the file or it is damaged */
export async function openSecrets(file: string): Promise<Secrets> {
  const content = (await readSecrets(file)) ?? (await createSecrets(file))
  const newest = content.session.at(-1)!
  return {
    sessionKeys: {
      currentId: newest.id,
      secrets: new Map(content.session.map(({ id, secret }) => [id, Buffer.from(secret, 'base64url')])),
    },
    signingKeys: content.signing.map(({ kid, createdAt, jwk }) => ({ kid, createdAt, jwk })),
  }
}

/** Adds a signing key and a session key; tokens of the old ones stay valid while they live. */
export async function rotateSecrets(file: string): Promise<void> {
  const content = await readSecrets(file)
  if (!content) throw new Error(`there is no ${file}`)
  content.session.push(sessionKey())
  content.signing.push(await signingKey())
  // Two generations: older keys outlived every token they signed.
  await writeSecrets(file, {
    ...content,
    session: content.session.slice(-2),
    signing: content.signing.slice(-2),
  })
}

async function readSecrets(file: string): Promise<SecretsFile | undefined> {
  try {
    const { mode } = await stat(file)
    if ((mode & OTHERS) !== 0)
      throw new Error(`${file} holds secrets and others may read it: chmod 600 ${file}`)
    const content = JSON.parse(await readFile(file, 'utf8')) as SecretsFile
    if (content.v !== 1 || !content.session?.length || !content.signing?.length)
      throw new SyntaxError('keys are missing')
    return content
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    if (error instanceof SyntaxError)
      throw new Error(
        `${file} is damaged (${error.message}): restore it from a backup, or remove it to log everybody out`,
      )
    throw error
  }
}

async function createSecrets(file: string): Promise<SecretsFile> {
  const content: SecretsFile = { v: 1, session: [sessionKey()], signing: [await signingKey()] }
  await writeSecrets(file, content)
  return content
}

async function writeSecrets(file: string, content: SecretsFile): Promise<void> {
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${randomBytes(6).toString('hex')}`)
  const handle = await open(temporary, 'wx', 0o600)
  try {
    await handle.writeFile(`${JSON.stringify(content)}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await renameDurably(temporary, file)
}

function sessionKey(): { id: string; secret: string } {
  return { id: randomBytes(3).toString('hex'), secret: randomBytes(32).toString('base64url') }
}

async function signingKey(): Promise<SecretsFile['signing'][number]> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const kid = randomBytes(9).toString('base64url')
  return {
    kid,
    createdAt: new Date().toISOString(),
    jwk: { ...(await exportJWK(privateKey)), kid, alg: 'ES256' },
  }
}
