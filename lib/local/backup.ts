// Backup: a directory that `npm start -- --data` can be pointed at. The database first, then the objects: they are
// immutable, and while no sweep runs everything the database names stays.
import { constants, copyFile, link, mkdir, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { objectKeys } from '../registry/object-keys.ts'
import type { BlobStore } from '../registry/ports.ts'
import type { CopyReport } from '../server/open-stores.ts'
import { DATABASE, SECRETS } from './data-directory.ts'
import { syncDirectory } from './durable-files.ts'
import type { SqliteMetadataStore } from './sqlite-metadata-store.ts'

/** @param target a directory that is absent or empty. @throws Error when it is not */
export async function backUp(
  dataDir: string,
  metadata: SqliteMetadataStore,
  blobs: BlobStore,
  target: string,
): Promise<CopyReport> {
  const directory = path.resolve(target)
  await mkdir(directory, { recursive: true, mode: 0o750 })
  if ((await readdir(directory)).length > 0)
    throw new Error(`${directory} is not empty: give a new directory`)
  await metadata.snapshot(path.join(directory, DATABASE))
  await copyFile(path.join(dataDir, SECRETS), path.join(directory, SECRETS))
  const report: CopyReport = { objects: 0, bytes: 0, linked: 0 }
  const made = new Set<string>()
  for await (const object of blobs.list(objectKeys.all)) {
    const [from, to] = [path.join(dataDir, object.key), path.join(directory, object.key)]
    const parent = path.dirname(to)
    if (!made.has(parent)) await mkdir(parent, { recursive: true })
    made.add(parent)
    report.linked += (await linkOrCopy(from, to)) ? 1 : 0
    report.objects += 1
    report.bytes += object.sizeBytes
  }
  await writeFile(
    path.join(directory, 'backup.json'),
    `${JSON.stringify({ ...report, madeAt: new Date().toISOString() })}\n`,
  )
  for (const parent of made) await syncDirectory(parent)
  await syncDirectory(directory)
  return report
}

/** Another file system cannot share bytes: there they are copied. */
async function linkOrCopy(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if (!['EXDEV', 'EPERM', 'EMLINK', 'ENOTSUP'].includes((error as NodeJS.ErrnoException).code ?? ''))
      throw error
    await copyFile(from, to, constants.COPYFILE_FICLONE)
    return false
  }
}
