// Debian's docker-registry as a process of a test's own, with the access log that it keeps itself.
import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { findTool } from '../tools.ts'
import { freePort, listening } from './aws-stores.ts'

export interface DockerRegistry {
  url: string
  host: string
  /** Successful GETs of manifests and blobs by path, as it logged them. */
  fetched(): Map<string, number>
  stop(): Promise<void>
}

/** Open to everybody on loopback. */
export async function startDockerRegistry(): Promise<DockerRegistry> {
  const directory = await mkdtemp(path.join(tmpdir(), 'entrepot-docker-registry-'))
  const port = await freePort()
  const config = path.join(directory, 'config.yml')
  await writeFile(
    config,
    JSON.stringify({
      version: 0.1,
      log: { level: 'error' },
      storage: { filesystem: { rootdirectory: path.join(directory, 'storage') }, delete: { enabled: true } },
      http: { addr: `127.0.0.1:${port}` },
    }),
  )
  const child = spawn(findTool('docker-registry')!, ['serve', config], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let log = ''
  child.stdout.on('data', (chunk: Buffer) => {
    log += chunk.toString()
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  await listening(port)
  return {
    url: `http://127.0.0.1:${port}`,
    host: `127.0.0.1:${port}`,
    fetched: () => countsIn(log),
    stop: async () => {
      child.kill()
      await ended
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Its lines are those of Apache: `… "GET /v2/… HTTP/1.1" 200 …`. */
function countsIn(log: string): Map<string, number> {
  const counts = new Map<string, number>()
  for (const [, path] of log.matchAll(/"GET (\/v2\/\S+\/(?:manifests|blobs)\/\S+) HTTP\/1\.1" 200 /g))
    counts.set(path!, (counts.get(path!) ?? 0) + 1)
  return counts
}
