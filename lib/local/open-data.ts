// Opens a data directory: lock, database, blob store, secrets. Every way this can fail says what to do.
import { access, constants, mkdir } from 'node:fs/promises'
import path from 'node:path'
import { Secrets } from '../access/secret-keys.ts'
import { NewerSchemaError, prepareStore } from '../registry/prepare.ts'
import { newId, type Registry, type Settings } from '../registry/registry.ts'
import type { OpenStores } from '../server/open-stores.ts'
import { StartupError } from '../server/startup-error.ts'
import { backUp } from './backup.ts'
import { DATABASE, SECRETS } from './data-directory.ts'
import { openFileBlobStore } from './file-blob-store.ts'
import { openFileSpool } from './file-spool.ts'
import { lockData } from './lock.ts'
import { openSecretsFile, rotateSecretsFile } from './secrets-file.ts'
import { openSqliteMetadataStore, type SqliteMetadataStore } from './sqlite-metadata-store.ts'

/** @throws StartupError */
export async function openData(directory: string, settings: Settings): Promise<OpenStores> {
  const dataDir = path.resolve(directory)
  await usableDirectory(dataDir)
  const unlock = orExplain(dataDir, () => lockData(dataDir))
  let metadata: SqliteMetadataStore | undefined
  try {
    metadata = await openDatabase(path.join(dataDir, DATABASE))
    return await open(dataDir, metadata, settings, unlock)
  } catch (error) {
    await metadata?.close()
    unlock()
    throw error
  }
}

async function open(
  dataDir: string,
  metadata: SqliteMetadataStore,
  settings: Settings,
  unlock: () => void,
): Promise<OpenStores> {
  const blobs = await openFileBlobStore(dataDir).catch((error) => fail(dataDir, error))
  const document = await openSecretsFile(path.join(dataDir, SECRETS)).catch((error) => {
    throw new StartupError('data', (error as Error).message, error)
  })
  const events = { onEvent: () => {} }
  const registry: Registry = {
    metadata,
    blobs,
    clock: { nowMs: Date.now },
    settings,
    newId,
    onEvent: () => events.onEvent(),
  }
  await prepareStore(registry).catch((error) => {
    throw error instanceof NewerSchemaError ? new StartupError('data', error.message, error) : error
  })
  const close = async () => {
    await metadata.close()
    unlock()
  }
  const secrets = new Secrets(document, registry.clock)
  return {
    registry,
    secrets,
    events,
    directory: dataDir,
    openSpool: () => openFileSpool(dataDir),
    rotateKeys: async () => secrets.replace(await rotateSecretsFile(path.join(dataDir, SECRETS))),
    expire: (nowMs) => metadata.expire(nowMs),
    backUp: (target) => backUp(dataDir, metadata, blobs, target),
    close,
  }
}

async function usableDirectory(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o750 })
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    fail(dataDir, error)
  }
}

function orExplain<T>(dataDir: string, open: () => T): T {
  try {
    return open()
  } catch (error) {
    return fail(dataDir, error)
  }
}

function fail(dataDir: string, error: unknown): never {
  if (error instanceof StartupError) throw error
  const { code, message } = error as NodeJS.ErrnoException
  const why: Record<string, string> = {
    EACCES: 'this user may not read and write it: change its owner, or choose another with --data',
    EROFS: 'it is on a read-only file system: choose another with --data',
    ENOTDIR: 'it is not a directory: choose another with --data',
    EEXIST: 'it is not a directory: choose another with --data',
    ENOSPC: 'its file system is full: make room',
  }
  const readOnly = /readonly database|unable to open database/.test(message) ? why.EACCES : undefined
  throw new StartupError('data', `cannot use ${dataDir}: ${why[code ?? ''] ?? readOnly ?? message}`, error)
}

async function openDatabase(file: string): Promise<SqliteMetadataStore> {
  try {
    return await openSqliteMetadataStore(file)
  } catch (error) {
    const { message } = error as Error
    const damaged = /not a database|malformed|corrupt|disk image/.test(message)
    const what = damaged
      ? `${file} is damaged (${message}): restore a backup (entrepot backup), or move it away to start empty`
      : `cannot open ${file}: ${message}`
    throw new StartupError('data', what, error)
  }
}
