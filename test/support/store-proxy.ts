// Stands between the registry and a store: counts what passes on the wire, and breaks it as told.
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface StoreCall {
  /** Its number, from 1. */
  number: number
  store: 's3' | 'dynamodb'
  /** As AWS names it: `PutItem`, `UploadPart`. */
  operation: string
  /** `pk sk` of the items it asks to write. */
  writes: string[]
}

export type Fault =
  /** The connection breaks before the store hears of it. */
  | { kind: 'cut before' }
  /** The store does as asked, and its answer is lost. */
  | { kind: 'cut after' }
  /** Half of the answer arrives. */
  | { kind: 'half' }
  /** Nothing happens for so long, then all goes on. */
  | { kind: 'delay'; ms: number }
  /** The store answers this instead of doing anything. */
  | { kind: 'answer'; status: number; headers: Record<string, string>; body: string }
  /** A batch is taken and nothing of it done, as under throttling. */
  | { kind: 'unprocessed' }

export interface StoreProxy {
  url: string
  calls: StoreCall[]
  /** Told of each call before it is passed on. */
  fault: ((call: StoreCall) => Fault | undefined | Promise<Fault | undefined>) | undefined
  /** Told when a store has answered, before anybody else hears of it. */
  answered: ((call: StoreCall) => void) | undefined
  close(): Promise<void>
}

export async function startStoreProxy(store: StoreCall['store'], target: string): Promise<StoreProxy> {
  const server = createServer((incoming, outgoing) => {
    void pass(incoming, outgoing)
  })
  server.keepAliveTimeout = 60_000
  const proxy: StoreProxy = {
    url: '',
    calls: [],
    fault: undefined,
    answered: undefined,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }

  async function pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const call: StoreCall = {
      number: proxy.calls.length + 1,
      store,
      operation: operationOf(store, incoming),
      writes: [],
    }
    proxy.calls.push(call)
    const fault = await proxy.fault?.(call)
    if (fault?.kind === 'cut before') return void outgoing.destroy()
    if (fault?.kind === 'answer') {
      incoming.resume()
      return void outgoing.writeHead(fault.status, fault.headers).end(fault.body)
    }
    if (fault?.kind === 'unprocessed') return void (await answerUnprocessed(incoming, outgoing))
    if (fault?.kind === 'delay') await new Promise((resolve) => setTimeout(resolve, fault.ms))
    const { hostname, port } = new URL(target)
    const { method, url, headers } = incoming
    // The headers go as they came: the signature covers the host the registry believes to talk to.
    const onward = request({ hostname, port, method, path: url, headers }, (answer) => {
      if (!fault || fault.kind === 'delay') {
        outgoing.writeHead(answer.statusCode ?? 0, answer.headers)
        answer.pipe(outgoing)
        answer.once('end', () => proxy.answered?.(call))
        return
      }
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('end', () => {
        proxy.answered?.(call)
        if (fault.kind === 'cut after') return void outgoing.destroy()
        const body = Buffer.concat(chunks)
        outgoing.writeHead(answer.statusCode ?? 0, answer.headers)
        outgoing.write(body.subarray(0, Math.floor(body.length / 2)), () => outgoing.destroy())
      })
    })
    onward.on('error', () => outgoing.destroy())
    incoming.on('error', () => onward.destroy())
    if (store === 'dynamodb') noteWrites(incoming, call)
    incoming.pipe(onward)
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  proxy.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return proxy
}

async function answerUnprocessed(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  const { RequestItems } = JSON.parse(Buffer.concat(chunks).toString())
  const body = { UnprocessedItems: RequestItems, UnprocessedKeys: RequestItems, Responses: {} }
  outgoing.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(body))
}

interface DynamoWrite {
  Item?: Record<string, { S: string }>
  Key?: Record<string, { S: string }>
}

function noteWrites(incoming: IncomingMessage, call: StoreCall): void {
  if (!/Write|Put|Delete/.test(call.operation)) return
  const chunks: Buffer[] = []
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
  incoming.on('end', () => {
    const body = JSON.parse(Buffer.concat(chunks).toString())
    const writes: DynamoWrite[] = [body, ...(body.TransactItems ?? []).flatMap(Object.values)]
    for (const requests of Object.values(body.RequestItems ?? {}))
      writes.push(...(requests as object[]).flatMap((request) => Object.values(request)))
    for (const { Item, Key } of writes) {
      const key = Item ?? Key
      if (key) call.writes.push(`${key.pk!.S} ${key.sk!.S}`)
    }
  })
}

function operationOf(store: StoreCall['store'], { method, url = '', headers }: IncomingMessage): string {
  if (store === 'dynamodb') return String(headers['x-amz-target']).split('.')[1] ?? 'unknown'
  const { pathname, searchParams } = new URL(url, 'http://s3')
  const bucketOnly = pathname.split('/').filter(Boolean).length < 2
  const copy = headers['x-amz-copy-source'] !== undefined
  if (method === 'POST')
    return searchParams.has('uploads') ? 'CreateMultipartUpload' : 'CompleteMultipartUpload'
  if (method === 'PUT' && searchParams.has('partNumber')) return copy ? 'UploadPartCopy' : 'UploadPart'
  if (method === 'PUT') return copy ? 'CopyObject' : 'PutObject'
  if (method === 'DELETE') return searchParams.has('uploadId') ? 'AbortMultipartUpload' : 'DeleteObject'
  if (method === 'HEAD') return 'HeadObject'
  return bucketOnly ? 'ListObjectsV2' : 'GetObject'
}
