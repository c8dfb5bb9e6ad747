// Opens a data directory: lock, database, blob store, secrets. Every way this can fail says what to do.
import { access, constants, mkdir } from 'node:fs/promises'
import path from 'node:path'
import { keys } from '../registry/keys.ts'
import { createProject, findProject } from '../registry/projects.ts'
import { newId, type Registry, SCHEMA_VERSION, type Settings } from '../registry/registry.ts'
import { openFileBlobStore } from './file-blob-store.ts'
import { lockData } from './lock.ts'
import { openSecrets, type Secrets } from './secrets-file.ts'
import { openSqliteMetadataStore, type SqliteMetadataStore } from './sqlite-metadata-store.ts'
import { StartupError } from './startup-error.ts'

export interface LocalData {
  dataDir: string
  registry: Registry
  metadata: SqliteMetadataStore
  secrets: Secrets
  /** Replaced by whoever relays the outbox. */
  events: { onEvent(): void }
  close(): Promise<void>
}

export const DATABASE = 'entrepot.db'
export const SECRETS = 'secrets.json'

/** @throws StartupError */
export async function openData(directory: string, settings: Settings): Promise<LocalData> {
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
): Promise<LocalData> {
  const blobs = await openFileBlobStore(dataDir).catch((error) => fail(dataDir, error))
  const secrets = await openSecrets(path.join(dataDir, SECRETS)).catch((error) => {
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
  await checkSchema(registry)
  if (!(await findProject(registry, 'library'))) await createProject(registry, 'library', { public: true })
  const close = async () => {
    await metadata.close()
    unlock()
  }
  return { dataDir, registry, metadata, secrets, events, close }
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

/** @throws StartupError when a newer program wrote the data */
async function checkSchema(registry: Registry): Promise<void> {
  const item = await registry.metadata.get(keys.schema)
  const version = item?.attributes.version
  if (typeof version === 'number' && version > SCHEMA_VERSION)
    throw new StartupError(
      'data',
      `the data was written by a newer Entrepôt (schema ${version}, this one knows ${SCHEMA_VERSION}): upgrade the program`,
    )
  if (item) return
  const attributes = { v: 1, version: SCHEMA_VERSION, createdAtMs: registry.clock.nowMs() }
  await registry.metadata.batchWrite([{ kind: 'put', item: { ...keys.schema, attributes } }])
}
