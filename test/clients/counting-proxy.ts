// Stands between client and registry and counts the blob bytes a client sends, so that the proof of "a second push
// moves nothing" is counted on the wire.
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

interface CountingProxy {
  host: string
  url: string
  /** Body bytes of POST, PATCH and PUT requests to upload paths. */
  blobBytes: number
  close(): Promise<void>
}

export async function startCountingProxy(target: string): Promise<CountingProxy> {
  const server = createServer((incoming, outgoing) => {
    const upload = incoming.url?.includes('/blobs/uploads/') ?? false
    // The Host header stays: the registry's challenge must name the address the client uses.
    const options = { method: incoming.method, headers: incoming.headers }
    const upstream = request(new URL(incoming.url ?? '/', target), options, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    upstream.on('error', () => outgoing.destroy())
    incoming.on('data', (chunk: Buffer) => {
      if (upload) proxy.blobBytes += chunk.length
    })
    incoming.pipe(upstream)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const proxy: CountingProxy = {
    host: `127.0.0.1:${port}`,
    url: `http://127.0.0.1:${port}`,
    blobBytes: 0,
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
  return proxy
}
