// What every Queue must keep; run on each implementation.
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Message, Queue } from '../../lib/jobs/queue.ts'

export interface OpenQueue {
  queue: Queue
  /** Messages that were put aside after failing too often. */
  deadLetters(): Promise<string[]>
  /** Deliveries after which a message is put aside. */
  deliveries: number
  close(): Promise<void>
}

export function queueContract(name: string, open: () => Promise<OpenQueue>): void {
  describe(name, () => {
    let opened: OpenQueue
    let stop: AbortController
    beforeEach(async () => {
      opened = await open()
      stop = new AbortController()
    })
    afterEach(async () => {
      stop.abort()
      await opened.close()
    })

    /** Consumes until `done` says so. @returns the deliveries, in order */
    async function consume(
      handler: (message: Message) => Promise<void>,
      done: (delivered: Message[]) => boolean | Promise<boolean>,
      concurrency = 4,
    ): Promise<Message[]> {
      const delivered: Message[] = []
      await opened.queue.consume(
        async (message) => {
          delivered.push(message)
          try {
            await handler(message)
          } finally {
            if (await done(delivered)) stop.abort()
          }
        },
        { concurrency, signal: stop.signal, onFailure: () => {} },
      )
      return delivered
    }

    test('every message is delivered, with what it said', async () => {
      const bodies = Array.from({ length: 33 }, (_, number) => `${number} ${randomUUID()} ü`)
      await opened.queue.send(bodies)
      const delivered = await consume(
        async () => {},
        (all) => new Set(all.map(({ body }) => body)).size === 33,
      )
      expect([...new Set(delivered.map(({ body }) => body))].sort()).toEqual([...bodies].sort())
    })

    test('a message whose handler fails is delivered again, and counted', async () => {
      await opened.queue.send(['once more'])
      const delivered = await consume(
        async ({ attempt }) => {
          if (attempt === 1) throw new Error('not yet')
        },
        (all) => all.length === 2,
      )
      expect(delivered.map(({ attempt }) => attempt)).toEqual([1, 2])
    })

    test('no more are handled at once than asked for', async () => {
      await opened.queue.send(Array.from({ length: 12 }, (_, number) => String(number)))
      let [running, most, ended] = [0, 0, 0]
      await consume(
        async () => {
          running += 1
          most = Math.max(most, running)
          await new Promise(setImmediate)
          running -= 1
          ended += 1
        },
        () => ended === 12,
        3,
      )
      expect(most).toBeLessThanOrEqual(3)
    })

    test('a large message and many small ones go together', async () => {
      const bodies = ['x'.repeat(200_000), 'y'.repeat(200_000), 'small']
      await opened.queue.send(bodies)
      const delivered = await consume(
        async () => {},
        (all) => new Set(all.map(({ body }) => body)).size === 3,
      )
      expect(new Set(delivered.map(({ body }) => body))).toEqual(new Set(bodies))
    })

    test('a message that fails every time is put aside', async () => {
      await opened.queue.send(['poison'])
      let failures = 0
      const running = consume(
        async () => {
          failures += 1
          throw new Error('never')
        },
        () => false,
      )
      await expect.poll(() => opened.deadLetters(), { timeout: 25_000, interval: 200 }).toEqual(['poison'])
      stop.abort()
      await running
      expect(failures).toBe(opened.deliveries)
    })
  })
}
