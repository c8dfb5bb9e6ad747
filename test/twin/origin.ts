// What stands behind the edge: takes a request, streams its body on, answers with a stream.
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import type { Readable } from 'node:stream'

export interface OriginRequest {
  method: string
  /** Path and query. */
  target: string
  headers: Record<string, string | string[]>
  /** Absent when the request has none. */
  body: Readable | undefined
}

export interface OriginAnswer {
  status: number
  headers: IncomingHttpHeaders
  body: Readable
}

export type Origin = (request: OriginRequest) => Promise<OriginAnswer>

const agent = new Agent({ keepAlive: true, maxSockets: 256 })

/** @param count told of every piece of the body that went through */
export function passOn(
  url: string,
  { method, target, headers, body }: OriginRequest,
  count: (bytes: number) => void = () => {},
): Promise<OriginAnswer> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const onward = request(
      { hostname, port, method, path: target, headers, agent },
      (answer: IncomingMessage) =>
        resolve({ status: answer.statusCode ?? 502, headers: answer.headers, body: answer }),
    )
    onward.on('error', reject)
    if (!body) return void onward.end()
    body.on('data', (chunk: Buffer) => count(chunk.length))
    body.on('error', () => onward.destroy())
    body.pipe(onward)
  })
}

export async function collect(body: Readable, limit = Number.POSITIVE_INFINITY): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    if (size > limit) return undefined
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks)
}
