// One owner of a data directory at a time: an exclusive lock on a small database, which the system releases
// however the process ends. Works on network file systems where SQLite's own locks do.
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StartupError } from '../server/startup-error.ts'

const SQLITE_BUSY = 5

/** @returns releases the lock. @throws StartupError when another process owns the directory */
export function lockData(dataDir: string): () => void {
  const db = new DatabaseSync(path.join(dataDir, 'lock.db'))
  try {
    db.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY)
      throw new StartupError(
        'locked',
        `${dataDir} is in use by another Entrepôt: stop that one, or give this one its own directory with --data`,
      )
    throw error
  }
  return () => db.close()
}
