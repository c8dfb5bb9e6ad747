// Sabotage: a process that keeps every piece of every body it is sent.
import { IncomingMessage } from 'node:http'

const kept: Uint8Array[] = []
const { push } = IncomingMessage.prototype

IncomingMessage.prototype.push = function (chunk: Uint8Array | null, ...rest) {
  if (chunk) kept.push(Buffer.from(chunk))
  return push.call(this, chunk, ...rest)
}
