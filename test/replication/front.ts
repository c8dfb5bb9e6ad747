// Stands in front of a registry as its access log: what was asked with how many bytes, and failures that a test wants.
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Logged {
  method: string
  path: string
  status: number
  /** Of the request's body, as far as it came. */
  bytes: number
}

/** Of what is neither answered nor let through. */
export const HELD = -1

export interface Fault {
  /** `HELD`, or what is answered. */
  status: number
  headers?: Record<string, string>
  body?: string
  /** So often; then the registry is asked again. */
  times?: number
}

export interface Front {
  url: string
  host: string
  log: Logged[]
  /** Bytes of uploads so far, those of requests that broke off too. */
  received(): number
  break(path: RegExp, fault: Fault): () => void
  /** Called with each piece of an upload that came through. */
  onBytes: (received: number) => void
  stop(): Promise<void>
}

export async function startFront(origin: string): Promise<Front> {
  const faults = new Set<{ path: RegExp; fault: Fault; left: number }>()
  let received = 0
  const server = createServer((incoming, outgoing) => {
    const path = incoming.url ?? '/'
    const logged: Logged = { method: incoming.method ?? '', path, status: 0, bytes: 0 }
    front.log.push(logged)
    const broken = [...faults].find((each) => each.left > 0 && each.path.test(`${logged.method} ${path}`))
    incoming.on('data', (chunk: Buffer) => {
      logged.bytes += chunk.length
      if (!path.includes('/blobs/uploads/') || broken) return
      received += chunk.length
      front.onBytes(received)
    })
    if (broken) {
      broken.left -= 1
      logged.status = broken.fault.status
      incoming.resume()
      if (broken.fault.status === HELD) return
      incoming.once('end', () =>
        outgoing.writeHead(broken.fault.status, broken.fault.headers).end(broken.fault.body ?? ''),
      )
      return
    }
    // The Host header stays: locations must name the address the client uses.
    const upstream = request(
      new URL(path, origin),
      { method: incoming.method, headers: incoming.headers },
      (answer) => {
        logged.status = answer.statusCode ?? 502
        outgoing.writeHead(logged.status, answer.headers)
        answer.pipe(outgoing)
      },
    )
    upstream.on('error', () => outgoing.destroy())
    incoming.on('aborted', () => upstream.destroy())
    incoming.pipe(upstream)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const front: Front = {
    url: `http://127.0.0.1:${port}`,
    host: `127.0.0.1:${port}`,
    log: [],
    received: () => received,
    break: (path, fault) => {
      const kept = { path, fault, left: fault.times ?? Number.POSITIVE_INFINITY }
      faults.add(kept)
      return () => faults.delete(kept)
    },
    onBytes: () => {},
    stop: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
  if (process.env.SABOTAGE === 'replication-swallowed') front.break(/^PUT .*\/manifests\//, { status: 201 })
  return front
}
