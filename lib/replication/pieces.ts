// Streams cut into pieces.

/** Chunks of exactly `bytes`, the last one shorter; copies, so that each stays as it is. */
export async function* chunksOf(body: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let buffer = Buffer.allocUnsafe(bytes)
  let filled = 0
  for await (const chunk of body) {
    for (let at = 0; at < chunk.length; ) {
      const taken = Math.min(bytes - filled, chunk.length - at)
      buffer.set(chunk.subarray(at, at + taken), filled)
      filled += taken
      at += taken
      if (filled < bytes) continue
      yield buffer
      buffer = Buffer.allocUnsafe(bytes)
      filled = 0
    }
  }
  if (filled > 0) yield buffer.subarray(0, filled)
}

/** Streams of at most about `bytes` (up to one chunk more), each to be read to its end before the next is asked for. */
export async function* partsOf(
  body: AsyncIterable<Uint8Array>,
  bytes: number,
): AsyncGenerator<AsyncIterable<Uint8Array>> {
  const chunks = body[Symbol.asyncIterator]()
  let ended = false
  async function* part(): AsyncGenerator<Uint8Array> {
    for (let size = 0; size < bytes; ) {
      const { value, done } = await chunks.next()
      if (done) {
        ended = true
        return
      }
      size += value.length
      yield value
    }
  }
  try {
    while (!ended) yield part()
  } finally {
    await chunks.return?.()
  }
}
