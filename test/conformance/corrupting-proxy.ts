// A proxy that lies a little: the suites must notice.
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Lists tags backwards and forgets the digest of every answer. */
export async function startCorruptingProxy(
  target: string,
): Promise<{ url: string; host: string; close(): void }> {
  const server = createServer((incoming, outgoing) => {
    const { host: _, ...headers } = incoming.headers
    const upstream = request(
      new URL(incoming.url ?? '/', target),
      { method: incoming.method, headers },
      (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('end', () => {
          const { 'docker-content-digest': _digest, 'content-length': length, ...kept } = answer.headers
          let body = Buffer.concat(chunks)
          if (incoming.url?.includes('/tags/list')) {
            const list = JSON.parse(body.toString())
            body = Buffer.from(JSON.stringify({ ...list, tags: list.tags?.toReversed() }))
          }
          outgoing.writeHead(
            answer.statusCode ?? 500,
            incoming.method === 'HEAD' ? { ...kept, 'content-length': length } : kept,
          )
          outgoing.end(body)
        })
      },
    )
    upstream.on('error', () => outgoing.destroy())
    incoming.pipe(upstream)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, host: `127.0.0.1:${port}`, close: () => server.close() }
}
