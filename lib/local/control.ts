// The control socket: how `entrepot` reaches a running registry on the same machine. Only the data directory's
// owner can open it, which is also who could read the data directly.
import { createHash } from 'node:crypto'
import { chmod, rm } from 'node:fs/promises'
import { createServer, request as httpRequest, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { RegistryError } from '../oci/errors.ts'
import type { Background } from './background.ts'
import type { LocalData } from './open-data.ts'
import { OPERATIONS, UsageError } from './operations.ts'

/** Unix socket paths are bounded to about 104 bytes. */
const PATH_LIMIT = 100
const ARGS_LIMIT_BYTES = 64 * 1024

export function controlPath(dataDir: string): string {
  const inside = path.join(path.resolve(dataDir), 'control.sock')
  if (Buffer.byteLength(inside) <= PATH_LIMIT) return inside
  return path.join(
    tmpdir(),
    `entrepot-${createHash('sha256').update(inside).digest('hex').slice(0, 24)}.sock`,
  )
}

interface ControlRequest {
  operation: string
  args: string[]
  principal: string
}

/** Answers are lines of text; the last is the exit code. */
export async function listenControl(
  data: LocalData,
  background: Background,
): Promise<{ close(): Promise<void> }> {
  const socket = controlPath(data.dataDir)
  await rm(socket, { force: true }) // a killed process leaves its socket; the lock says that it is gone
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of request) {
      size += chunk.length
      if (size > ARGS_LIMIT_BYTES) return void request.destroy()
      chunks.push(chunk)
    }
    const { operation, args, principal } = JSON.parse(Buffer.concat(chunks).toString()) as ControlRequest
    const print = (line: string) => response.write(`${line}\n`)
    response.end(`${await runOperation(data, background, operation, args, principal, print)}\n`)
  })
  await listen(server, socket)
  await chmod(socket, 0o600)
  return {
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await rm(socket, { force: true })
    },
  }
}

function listen(server: Server, socket: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(socket, resolve)
  })
}

/** @returns the exit code */
export async function runOperation(
  data: LocalData,
  background: Pick<Background, 'sweepNow' | 'withoutSweeps'>,
  operation: string,
  args: string[],
  principal: string,
  print: (line: string) => void,
): Promise<number> {
  const found = OPERATIONS[operation]
  if (!found) throw new UsageError(`unknown command ${operation}`)
  const actor = { principal, requestId: data.registry.newId() }
  try {
    return await found.run({ data, background, actor, print }, args)
  } catch (error) {
    if (error instanceof UsageError) print(`${error.message}; usage: entrepot ${found.usage}`)
    else if (error instanceof RegistryError) print(`${error.code}: ${error.message}`)
    else print(`failed: ${(error as Error).message}`)
    return error instanceof UsageError ? 2 : 1
  }
}

/**
 * Runs an operation in the process that owns the data.
 * @returns its exit code, or undefined when no process listens there
 */
export function callControl(
  dataDir: string,
  call: ControlRequest,
  print: (line: string) => void,
): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ socketPath: controlPath(dataDir), method: 'POST' }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        const lines = (text + chunk).split('\n')
        text = lines.pop() ?? ''
        // The last complete line may be the exit code: it is held back until the end.
        const held = lines.pop()
        for (const line of lines) print(line)
        if (held !== undefined) text = `${held}\n${text}`
      })
      response.on('end', () => {
        const lines = text.split('\n').filter((line) => line !== '')
        const code = Number(lines.pop())
        for (const line of lines) print(line)
        resolve(Number.isInteger(code) ? code : 1)
      })
      response.on('error', reject)
    })
    request.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(undefined)
      else reject(error)
    })
    request.end(JSON.stringify(call))
  })
}
