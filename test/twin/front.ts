// The load balancer as the front door: TLS ends here, every request goes to a task.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { RunningEdge } from './edge.ts'
import type { Origin } from './origin.ts'

export async function startFront(origin: Origin, tls: { key: string; cert: string }): Promise<RunningEdge> {
  let uploadBytes = 0

  async function pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = incoming
    const counting = new Transform({
      transform(chunk: Buffer, _, done) {
        if (url.includes('/blobs/uploads/')) uploadBytes += chunk.length
        done(undefined, chunk)
      },
    })
    const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
    const answer = await origin({
      method,
      target: url,
      headers: headers as Record<string, string | string[]>,
      body: hasBody ? incoming.pipe(counting) : undefined,
    })
    outgoing.writeHead(answer.status, answer.headers)
    await pipeline(answer.body, outgoing)
  }

  const server = createServer(tls, (incoming, outgoing) => {
    pass(incoming, outgoing).catch(() => {
      if (outgoing.headersSent) outgoing.destroy()
      else outgoing.writeHead(502, { 'content-type': 'text/html' }).end('<h1>502 Bad Gateway</h1>')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    went: {},
    port: (server.address() as AddressInfo).port,
    get uploadBytes() {
      return uploadBytes
    },
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}
