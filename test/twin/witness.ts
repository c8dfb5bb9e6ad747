// Stands before everything of AWS that the programs call, and writes down who asked for what: the rights they use.
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { callsOf } from './aws-calls.ts'

export interface Call {
  /** `registry`, `ingest`, …: what the program calls itself to AWS. */
  program: string
  /** `s3:PutObject`, as policies name it. */
  action: string
  resource: string
}

export interface Witness {
  url: string
  calls: Call[]
  /** Told of every call once it was answered. */
  onCall: ((call: Call, body: string) => void) | undefined
  /** Bytes of request bodies that went through. */
  readonly bytesIn: number
  close(): Promise<void>
}

/** Bodies of calls are JSON and small; those of objects are not looked into. */
const BODY_LIMIT_BYTES = 8 * 2 ** 20

/** @param tls serves HTTPS with it: whoever is sent to S3 is sent to an https URL */
export async function startWitness(
  target: string,
  account: string,
  tls?: { key: string; cert: string },
): Promise<Witness> {
  const calls: Call[] = []
  const { hostname, port: targetPort } = new URL(target)
  let bytesIn = 0

  function pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { method, url, headers } = incoming
    const chunks: Buffer[] = []
    const json = headers['content-type']?.includes('json') ?? false
    // The headers go as they came: the signature covers the host the program believes to talk to.
    const onward = request({ hostname, port: targetPort, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
      answer.once('end', () => {
        const body = Buffer.concat(chunks).toString()
        for (const call of callsOf(incoming, body, account, answer.statusCode)) {
          calls.push(call)
          witness.onCall?.(call, body)
        }
      })
    })
    onward.on('error', () => outgoing.destroy())
    incoming.on('error', () => onward.destroy())
    outgoing.on('close', () => {
      if (!outgoing.writableEnded) onward.destroy()
    })
    let size = 0
    incoming.on('data', (chunk: Buffer) => {
      bytesIn += chunk.length
      size += chunk.length
      if (json && size <= BODY_LIMIT_BYTES) chunks.push(chunk)
    })
    incoming.pipe(onward)
  }

  const server = tls ? createTlsServer(tls, pass) : createServer(pass)
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const witness: Witness = {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    onCall: undefined,
    get bytesIn() {
      return bytesIn
    },
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
  return witness
}
