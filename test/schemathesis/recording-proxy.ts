// A proxy in front of a registry that writes down which operation was answered with which status.
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Answered, operationAt } from './reached.ts'

export interface RecordingProxy {
  /** `http://127.0.0.1:PORT`. */
  url: string
  answered: Answered[]
  close(): Promise<void>
}

/** @param spoiled an operation whose answers become 500: a sabotage */
export async function startRecordingProxy(target: string, spoiled?: string): Promise<RecordingProxy> {
  const { hostname, port } = new URL(target)
  const answered: Answered[] = []
  const server = createServer((incoming, outgoing) => {
    const { method = 'GET', url: path = '/', headers } = incoming
    const [bare] = path.split('?')
    const operation = operationAt(method, bare!)
    const forwarded = request({ hostname, port, method, path, headers }, (answer) => {
      const status = operation !== undefined && operation === spoiled ? 500 : (answer.statusCode ?? 0)
      answered.push({ operation, method, path, status })
      outgoing.writeHead(status, answer.headers)
      answer.pipe(outgoing)
    })
    forwarded.on('error', () => outgoing.destroy())
    incoming.pipe(forwarded)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answered,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
