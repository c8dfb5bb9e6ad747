// A queue among the items of the registry's own store: for one machine, and wherever there is no other.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { keys, partitions } from '../registry/keys.ts'
import type { Item } from '../registry/ports.ts'
import { number, type Registry, text } from '../registry/registry.ts'
import type { ConsumeOptions, Message, MessageHandler, Queue } from './queue.ts'

/** How often a consumer looks for what others have sent, and for what has become due. */
const LOOK_EVERY_MS = 500
const RETRY_MS = 1000
const LONGEST_RETRY_MS = 900_000
const LOOK_AT = 50

export interface StoredQueueOptions {
  name: string
  /** Deliveries after which a message is put aside. */
  deliveries?: number
  /** How long a message is a consumer's without a sign of life. */
  leaseMs?: number
}

/** Messages that were put aside are in the queue `<name>-dead`. */
export function createStoredQueue(
  registry: Pick<Registry, 'metadata' | 'clock'>,
  { name, deliveries = 20, leaseMs = 30_000 }: StoredQueueOptions,
): Queue {
  const { metadata, clock } = registry
  let wake = () => {}

  function itemOf(dueAtMs: number, id: string, body: string, attempt: number): Item {
    return { ...keys.message(name, dueAtMs, id), attributes: { v: 1, body, attempt } }
  }

  /** The message with a later time is another item: whoever moves it has it. */
  async function move(item: Item, dueAtMs: number, attempt: number): Promise<Item | undefined> {
    const id = item.sk.slice(item.sk.indexOf('#') + 1)
    const next = itemOf(dueAtMs, id, text(item, 'body'), attempt)
    if (next.sk === item.sk) return item
    const outcome = await metadata.transact([
      { kind: 'delete', key: item, if: { kind: 'present' } },
      { kind: 'put', item: next },
    ])
    return outcome.ok ? next : undefined
  }

  async function receive(limit: number): Promise<Item[]> {
    const nowMs = clock.nowMs()
    const first = await metadata.query({ pk: partitions.messages(name), limit: LOOK_AT })
    const due = first.filter(({ sk }) => Number(sk.slice(0, 13)) <= nowMs).slice(0, limit)
    const taken = await Promise.all(
      due.map((item) => move(item, nowMs + leaseMs, number(item, 'attempt') + 1)),
    )
    return taken.filter((item) => item !== undefined)
  }

  async function handle(received: Item, handler: MessageHandler, options: ConsumeOptions): Promise<void> {
    const attempt = number(received, 'attempt')
    const id = received.sk.slice(received.sk.indexOf('#') + 1)
    const message: Message = { id, body: text(received, 'body'), attempt }
    let held: Item | undefined = received
    let moving: Promise<void> = Promise.resolve()
    const heartbeat = setInterval(() => {
      moving = moving
        .then(async () => {
          if (held) held = await move(held, clock.nowMs() + leaseMs, attempt)
        })
        .catch(() => {})
    }, leaseMs / 3)
    const settled = async () => {
      clearInterval(heartbeat)
      await moving
      return held
    }
    try {
      await handler(message)
      const done = await settled()
      if (done) await metadata.batchWrite([{ kind: 'delete', key: { pk: done.pk, sk: done.sk } }])
    } catch (error) {
      const failed = await settled()
      options.onFailure(message, error)
      if (failed) await retry(failed, attempt).catch(() => {}) // it comes back when its lease ends
    }
  }

  async function retry(failed: Item, attempt: number): Promise<void> {
    const nowMs = clock.nowMs()
    if (attempt < deliveries) {
      const wait = Math.min(LONGEST_RETRY_MS, RETRY_MS * 2 ** (attempt - 1))
      await move(failed, nowMs + wait, attempt)
      return
    }
    const id = failed.sk.slice(failed.sk.indexOf('#') + 1)
    await metadata.transact([
      { kind: 'delete', key: { pk: failed.pk, sk: failed.sk } },
      {
        kind: 'put',
        item: { ...keys.message(`${name}-dead`, nowMs, id), attributes: failed.attributes },
      },
    ])
  }

  return {
    async send(bodies, { delaySeconds = 0 } = {}) {
      const dueAtMs = clock.nowMs() + delaySeconds * 1000
      await metadata.batchWrite(
        bodies.map((body) => ({ kind: 'put', item: itemOf(dueAtMs, randomUUID(), body, 0) })),
      )
      wake()
    },

    async consume(handler, options) {
      const running = new Set<Promise<void>>()
      const { signal } = options
      while (!signal.aborted) {
        const free = options.concurrency - running.size
        let messages: Item[] = []
        try {
          if (free > 0) messages = await receive(free)
        } catch (error) {
          options.onFailure({ id: '', body: '', attempt: 0 }, error)
        }
        for (const message of messages) {
          const run = handle(message, handler, options).finally(() => running.delete(run))
          running.add(run)
        }
        if (messages.length > 0) continue
        const woken = new Promise<void>((resolve) => {
          wake = resolve
        })
        const look = new AbortController()
        const ended = () => look.abort()
        signal.addEventListener('abort', ended, { once: true })
        await Promise.race([
          woken,
          ...(free > 0 ? [] : running),
          sleep(LOOK_EVERY_MS, undefined, { signal: look.signal }).catch(() => {}),
        ])
        look.abort()
        signal.removeEventListener('abort', ended)
      }
      await Promise.all(running)
    },
  }
}
