// A queue of messages, delivered at least once: whoever handles one must be able to do so twice.

export interface Message {
  id: string
  body: string
  /** 1 at its first delivery. */
  attempt: number
}

/** Resolving is success; throwing has the message delivered again, later each time, and put aside in the end. */
export type MessageHandler = (message: Message) => Promise<void>

export interface ConsumeOptions {
  /** Messages handled at once. */
  concurrency: number
  /** Stops receiving; `consume` resolves when what was received is handled. */
  signal: AbortSignal
  /** Told of every failed delivery. */
  onFailure(message: Message, error: unknown): void
}

export interface Queue {
  /** Any number of messages, each at most 256 KiB; durable when it resolves. */
  send(bodies: string[], options?: { delaySeconds?: number }): Promise<void>
  /** A message is nobody else's while its handler runs, however long. */
  consume(handler: MessageHandler, options: ConsumeOptions): Promise<void>
}
