// A proxy in front of a registry that compares whatever it answers to Harbor's own clients with Harbor's description.
import { createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { heard } from './heard.ts'
import { BASE_PATH } from './swagger.ts'

export interface ListeningProxy {
  /** `http://127.0.0.1:PORT`. */
  url: string
  /** What broke the contract so far, each once. */
  breaches: Set<string>
  close(): Promise<void>
}

/** Starts a proxy on a free loopback port. */
export async function startListeningProxy(target: string): Promise<ListeningProxy> {
  const { hostname, port } = new URL(target)
  const breaches = new Set<string>()
  const server = createServer((incoming, outgoing) => {
    const { method = 'GET', url: path = '/', headers } = incoming
    const forwarded = request({ hostname, port, method, path, headers }, (answer) => {
      void bytesOf(answer).then((body) => {
        const status = answer.statusCode ?? 0
        if (path.startsWith(`${BASE_PATH}/`))
          for (const breach of heard({ method, path, status, headers: answer.headers, body }))
            breaches.add(breach)
        outgoing.writeHead(status, answer.headers).end(body)
      })
    })
    forwarded.on('error', () => outgoing.destroy())
    incoming.pipe(forwarded)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    breaches,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function bytesOf(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of answer) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
