// The control socket: how `entrepot` reaches a running registry on the same machine. Only the data directory's
// owner can open it, which is also who could read the data directly.
import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { RegistryError } from '../oci/errors.ts'
import type { OpenStores } from './open-stores.ts'
import { type Process, printable, UsageError } from './operation.ts'
import { OPERATIONS } from './operations.ts'

/** Unix socket paths are bounded to about 104 bytes. */
const PATH_LIMIT = 100
const ARGS_LIMIT_BYTES = 64 * 1024
const EXIT_CODE = 'exit-code'

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

/** Answers are lines of text; the exit code follows them in a trailer. */
export async function listenControl(
  stores: OpenStores,
  directory: string,
  background: Process,
): Promise<{ close(): Promise<void> }> {
  const socket = controlPath(directory)
  await rm(socket, { force: true }) // a killed process leaves its socket; the lock says that it is gone
  const server = createServer(async (request, response) => {
    response.writeHead(200, { Trailer: EXIT_CODE })
    const print = (line: string) => response.write(`${line}\n`)
    const code = await answerCall(stores, background, request, print)
    response.addTrailers({ [EXIT_CODE]: String(code) })
    response.end()
  })
  await listen(server, socket)
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
    // The socket is made within this call: nobody else can open it, not even before a chmod.
    const before = process.umask(0o177)
    server.listen(socket, resolve)
    process.umask(before)
  })
}

async function answerCall(
  stores: OpenStores,
  background: Process,
  request: AsyncIterable<Buffer>,
  print: (line: string) => void,
): Promise<number> {
  try {
    const { operation, args, principal } = parseCall(await readCall(request))
    return await runOperation(stores, background, operation, args, principal, print)
  } catch (error) {
    print((error as Error).message)
    return 2
  }
}

async function readCall(request: AsyncIterable<Buffer>): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > ARGS_LIMIT_BYTES) throw new UsageError('the arguments are too long')
    chunks.push(chunk)
  }
  return JSON.parse(Buffer.concat(chunks).toString())
}

/** Only `entrepot` calls here, but perhaps one of another version. @throws UsageError */
function parseCall(call: unknown): ControlRequest {
  const { operation, args, principal } = (call ?? {}) as Partial<ControlRequest>
  const isCall = typeof operation === 'string' && typeof principal === 'string' && Array.isArray(args)
  if (!isCall || !args.every((arg) => typeof arg === 'string'))
    throw new UsageError('this is no call of entrepot')
  return { operation, args, principal }
}

/** @returns the exit code */
export async function runOperation(
  stores: OpenStores,
  background: Process,
  operation: string,
  args: string[],
  principal: string,
  print: (line: string) => void,
): Promise<number> {
  const found = OPERATIONS[operation]
  if (!found) throw new UsageError(`unknown command ${operation}`)
  const actor = { principal, requestId: stores.registry.newId() }
  try {
    return await found.run({ stores, registry: stores.registry, background, actor, print }, args)
  } catch (error) {
    const { message } = error as Error
    if (error instanceof UsageError) print(printable(`${message}; usage: entrepot ${found.usage}`))
    else if (error instanceof RegistryError) print(printable(`${error.code}: ${message}`))
    else print(printable(`failed: ${message}`))
    return error instanceof UsageError ? 2 : 1
  }
}

/**
 * Runs an operation in the process that owns the data.
 * @returns its exit code, or undefined when no process listens there
 */
export async function callControl(
  dataDir: string,
  call: ControlRequest,
  print: (line: string) => void,
): Promise<number | undefined> {
  const response = await openCall(controlPath(dataDir), call)
  if (!response) return undefined
  for await (const line of createInterface({ input: response })) print(line)
  return Number(response.trailers[EXIT_CODE] ?? 1)
}

function openCall(socketPath: string, call: ControlRequest): Promise<IncomingMessage | undefined> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ socketPath, method: 'POST' }, resolve)
    request.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(undefined)
      else reject(error)
    })
    request.end(JSON.stringify(call))
  })
}
