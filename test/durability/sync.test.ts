// Before a 201 leaves, the system was told to keep everything it promises, in this order:
// fsync(file), rename, fsync(directory), fsync of SQLite's log.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clientOf, digest, pushImage, startUpload } from '../api/client.ts'
import { startServer } from '../support/server.ts'
import { type Call, next, parseTrace } from './trace.ts'

const preload = process.env.SABOTAGE === 'no-fsync' ? [path.join(import.meta.dirname, 'no-fsync.ts')] : []
let directory: string
let calls: Call[]

beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'entrepot-sync-'))
  const trace = path.join(directory, 'trace')
  const wanted =
    'trace=fsync,fdatasync,rename,renameat,renameat2,write,writev,sendto,sendmsg,openat,pwrite64,pwritev'
  const wrapper = ['strace', '-f', '-y', '-s', '200', '-e', wanted, '-o', trace]
  const server = await startServer({ dataDir: path.join(directory, 'data'), wrapper, preload })
  const http = clientOf(server.url)
  await http('PUT', `${await startUpload(http, 'lab/put')}?digest=${digest('whole')}`, { body: 'whole' })
  const patched = await http('PATCH', await startUpload(http, 'lab/patch'), { body: 'streamed' })
  await http('PUT', `${patched.headers.location}?digest=${digest('streamed')}`)
  await pushImage(http, 'lab/image', 'v1')
  // strace passes no signal on, so the server itself is told to stop.
  await http('GET', '/healthz')
  process.kill(await serverPid(server.process.pid!), 'SIGTERM')
  await new Promise((resolve) => server.process.once('exit', resolve))
  calls = parseTrace(await readFile(trace, 'utf8'))
}, 120_000)
afterAll(() => rm(directory, { recursive: true, force: true }))

async function serverPid(strace: number): Promise<number> {
  return Number((await readFile(`/proc/${strace}/task/${strace}/children`, 'utf8')).trim().split(' ')[0])
}

const isSync = (call: Call) => call.name === 'fsync' || call.name === 'fdatasync'
const isAnswer = (call: Call) =>
  /^(write|writev|sendto|sendmsg)$/.test(call.name) && call.line.includes('HTTP/1.1 201')

/** Walks from an answer back over everything that had to happen since the answer before it. */
function checkOrder(answer: number): void {
  const before = calls.slice(0, answer).findLastIndex(isAnswer)
  const part = calls.slice(before + 1, answer)
  const renamed = next(part, 0, (call) => call.name.startsWith('rename') && call.line.includes('/b/'))
  expect(renamed, 'the object is renamed into place').toBeGreaterThanOrEqual(0)
  const source = /rename\w*\([^"]*"([^"]+)"/.exec(part[renamed]!.line)?.[1] ?? '?'
  const fileSynced = next(part, 0, (call) => isSync(call) && call.line.includes(source))
  expect(fileSynced, `${source} is synced before it is renamed`).toBeGreaterThanOrEqual(0)
  expect(fileSynced).toBeLessThan(renamed)
  const folderSynced = next(part, renamed, (call) => isSync(call) && /\/b\/[^>]*\/u>/.test(call.line))
  expect(folderSynced, 'the directory is synced after the rename').toBeGreaterThan(renamed)
  const logSynced = next(part, folderSynced, (call) => isSync(call) && call.line.includes('entrepot.db-wal'))
  expect(logSynced, 'the database’s log is synced after that').toBeGreaterThan(folderSynced)
}

test('each 201 for a blob is preceded by fsync(file), rename, fsync(directory) and the sync of the database', () => {
  const answers = calls.flatMap((call, index) =>
    isAnswer(call) && call.line.includes('/blobs/') ? [index] : [],
  )
  expect(answers.length).toBeGreaterThanOrEqual(4)
  for (const answer of answers) checkOrder(answer)
})

test('the 201 for a manifest is preceded by the sync of the database', () => {
  const answer = calls.findIndex((call) => isAnswer(call) && call.line.includes('/manifests/'))
  const before = calls.slice(0, answer).findLastIndex(isAnswer)
  const synced = calls
    .slice(before, answer)
    .some((call) => isSync(call) && call.line.includes('entrepot.db-wal'))
  expect(synced).toBe(true)
})
