// A keep-alive HTTP/1.1 connection over a bare socket: the generator shares two cores with the registry it
// measures, so it must cost less per request than node:http's client does.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface Answer {
  status: number
  /** Lower-case names. */
  headers: Map<string, string>
  bodyBytes: number
  /** Only when it was asked for. */
  body?: Buffer
}

export interface RequestBody {
  /** Unknown: sent chunked. */
  lengthBytes?: number
  bytes: Iterable<Uint8Array> | AsyncIterable<Uint8Array>
}

export interface RequestOptions {
  headers?: Record<string, string>
  body?: Uint8Array | RequestBody
  keepBody?: boolean
}

interface Waiting {
  head: boolean
  keepBody: boolean
  resolve(answer: Answer): void
  reject(error: Error): void
}

const HEAD_END = '\r\n\r\n'

export class Connection {
  readonly #host: string
  readonly #port: number
  #socket: Socket | undefined
  #waiting: Waiting | undefined
  #buffered: Buffer = Buffer.alloc(0)
  #answer: Answer | undefined
  #parts: Buffer[] = []
  #left = 0
  #chunked = false

  /** @param host `127.0.0.1:5000` */
  constructor(host: string) {
    const { hostname, port } = new URL(`http://${host}`)
    this.#host = hostname
    this.#port = Number(port)
  }

  async request(method: string, path: string, options: RequestOptions = {}): Promise<Answer> {
    const socket = await this.#open()
    const { body } = options
    const lines = [`${method} ${path} HTTP/1.1`, `Host: ${this.#host}:${this.#port}`]
    for (const [name, value] of Object.entries(options.headers ?? {})) lines.push(`${name}: ${value}`)
    const whole = body instanceof Uint8Array ? body : undefined
    const stream = body && !whole ? (body as RequestBody) : undefined
    const lengthBytes = whole?.length ?? stream?.lengthBytes
    if (lengthBytes !== undefined) lines.push(`Content-Length: ${lengthBytes}`)
    else if (stream) lines.push('Transfer-Encoding: chunked')
    else if (method !== 'GET' && method !== 'HEAD') lines.push('Content-Length: 0')
    const head = `${lines.join('\r\n')}${HEAD_END}`
    const answered = new Promise<Answer>((resolve, reject) => {
      this.#waiting = { head: method === 'HEAD', keepBody: options.keepBody ?? false, resolve, reject }
    })
    if (whole) {
      socket.cork()
      socket.write(head, 'latin1')
      socket.write(whole)
      socket.uncork()
      return answered
    }
    socket.write(head, 'latin1')
    if (!stream) return answered
    // A registry that refuses answers, or breaks off, while the body is still being sent.
    const sent = sendBody(socket, stream, lengthBytes === undefined)
    await Promise.race([sent, answered])
    return answered
  }

  close(): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }

  async #open(): Promise<Socket> {
    if (this.#socket && !this.#socket.destroyed) return this.#socket
    const socket = connect({ host: this.#host, port: this.#port, noDelay: true })
    await once(socket, 'connect')
    this.#socket = socket
    this.#buffered = Buffer.alloc(0)
    this.#answer = undefined
    socket.on('data', (chunk) => this.#onData(chunk))
    const broken = (error?: Error) => {
      this.#socket = undefined
      this.#waiting?.reject(error ?? new Error('the registry closed the connection'))
      this.#waiting = undefined
    }
    socket.on('error', broken)
    socket.on('close', () => broken())
    return socket
  }

  #onData(chunk: Buffer): void {
    if (this.#answer && !this.#chunked && this.#buffered.length === 0) {
      this.#take(chunk)
      return
    }
    this.#buffered = this.#buffered.length === 0 ? chunk : Buffer.concat([this.#buffered, chunk])
    if (!this.#answer && !this.#readHead()) return
    if (this.#chunked) this.#readChunks()
    else {
      const rest = this.#buffered
      this.#buffered = Buffer.alloc(0)
      this.#take(rest)
    }
  }

  #readHead(): boolean {
    const end = this.#buffered.indexOf(HEAD_END)
    if (end < 0) return false
    const lines = this.#buffered.toString('latin1', 0, end).split('\r\n')
    this.#buffered = this.#buffered.subarray(end + HEAD_END.length)
    const headers = new Map<string, string>()
    for (const line of lines.slice(1)) {
      const colon = line.indexOf(':')
      headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim())
    }
    const status = Number(lines[0]!.slice(9, 12))
    if (status === 100) return this.#readHead()
    const empty = this.#waiting?.head === true || status === 204 || status === 304
    this.#answer = { status, headers, bodyBytes: 0 }
    this.#chunked = !empty && headers.get('transfer-encoding') === 'chunked'
    this.#left = empty ? 0 : Number(headers.get('content-length') ?? 0)
    return true
  }

  #take(bytes: Buffer): void {
    this.#keep(bytes)
    this.#left -= bytes.length
    if (this.#left <= 0) this.#finish()
  }

  #readChunks(): void {
    for (;;) {
      const line = this.#buffered.indexOf('\r\n')
      if (line < 0) return
      const size = Number.parseInt(this.#buffered.toString('latin1', 0, line), 16)
      if (this.#buffered.length < line + 2 + size + 2) return
      this.#keep(this.#buffered.subarray(line + 2, line + 2 + size))
      this.#buffered = this.#buffered.subarray(line + 2 + size + 2)
      if (size === 0) {
        this.#finish()
        return
      }
    }
  }

  #keep(bytes: Buffer): void {
    this.#answer!.bodyBytes += bytes.length
    if (this.#waiting?.keepBody) this.#parts.push(bytes)
  }

  #finish(): void {
    const answer = this.#answer!
    const waiting = this.#waiting
    if (waiting?.keepBody) answer.body = Buffer.concat(this.#parts)
    this.#parts = []
    this.#answer = undefined
    this.#waiting = undefined
    if (answer.headers.get('connection') === 'close') this.close()
    waiting?.resolve(answer)
  }
}

/** One piece on its way while the next is made. */
async function sendBody(socket: Socket, body: RequestBody, chunked: boolean): Promise<void> {
  let sending: Promise<void> = Promise.resolve()
  for await (const bytes of body.bytes) {
    await sending
    if (socket.destroyed) return
    if (chunked) socket.write(`${bytes.length.toString(16)}\r\n`, 'latin1')
    sending = new Promise((resolve) => socket.write(bytes, () => resolve()))
    if (chunked) socket.write('\r\n', 'latin1')
  }
  if (chunked) socket.write(`0${HEAD_END}`, 'latin1')
}
