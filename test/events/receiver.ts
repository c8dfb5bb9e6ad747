// A receiver of webhooks: an HTTP server that keeps every request and answers as a test wants it to.
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

export interface Received {
  path: string
  headers: IncomingHttpHeaders
  body: Buffer
}

export interface Receiver {
  url: string
  received: Received[]
  /** 204 until a test sets it. */
  answer: (response: ServerResponse, received: Received) => void
  /** How often each delivery came. */
  deliveries(): Record<string, number>
  close(): Promise<void>
}

export async function startReceiver(): Promise<Receiver> {
  const server = createServer(async (request, response) => {
    const body = await buffer(request)
    const received = { path: request.url!, headers: request.headers, body }
    receiver.received.push(received)
    receiver.answer(response, received)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: [],
    answer: (response) => response.writeHead(204).end(),
    deliveries: () => {
      const counts: Record<string, number> = {}
      for (const { headers } of receiver.received) {
        const id = String(headers['x-entrepot-delivery'])
        counts[id] = (counts[id] ?? 0) + 1
      }
      return counts
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
  return receiver
}

export const jsonOf = ({ body }: Received) => JSON.parse(body.toString())
