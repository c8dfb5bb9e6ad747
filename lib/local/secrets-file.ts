// Secrets of the local registry, in a file that only its owner may read.
import { randomBytes } from 'node:crypto'
import { open, readFile, stat } from 'node:fs/promises'
import path from 'node:path'
import {
  completed,
  newSecrets,
  parseSecrets,
  type SecretsDocument,
  withNewKeys,
} from '../access/secret-keys.ts'
import { renameDurably } from './durable-files.ts'

const OTHERS = 0o077

/** Reads the file, or makes it. @throws Error, in one line, when others can read it or it is damaged */
export async function openSecretsFile(file: string): Promise<SecretsDocument> {
  const document = await readSecretsFile(file)
  const fresh = document ? completed(document) : await newSecrets()
  return fresh ? writeSecretsFile(file, fresh) : document!
}

/** Adds keys; tokens of the old ones stay valid while they live. */
export async function rotateSecretsFile(file: string): Promise<SecretsDocument> {
  const document = await readSecretsFile(file)
  if (!document) throw new Error(`there is no ${file}`)
  return writeSecretsFile(file, await withNewKeys(document, Date.now()))
}

async function readSecretsFile(file: string): Promise<SecretsDocument | undefined> {
  try {
    const { mode } = await stat(file)
    if ((mode & OTHERS) !== 0)
      throw new Error(`${file} holds secrets and others may read it: chmod 600 ${file}`)
    return parseSecrets(await readFile(file, 'utf8'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    if (error instanceof SyntaxError)
      throw new Error(
        `${file} is damaged (${error.message}): restore it from a backup, or remove it to log everybody out`,
      )
    throw error
  }
}

async function writeSecretsFile(file: string, document: SecretsDocument): Promise<SecretsDocument> {
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${randomBytes(6).toString('hex')}`)
  const handle = await open(temporary, 'wx', 0o600)
  try {
    await handle.writeFile(`${JSON.stringify(document)}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await renameDurably(temporary, file)
  return document
}
