// A copy that is read while it grows: what is fetched once can be sent to many, each at their own pace.

export interface Spool {
  write(chunk: Uint8Array): Promise<void>
  /** Nothing more comes. @param error why the copy is no whole one: its readers get it too */
  end(error?: unknown): Promise<void>
  /** From the beginning; each chunk is valid until the next one is asked for. */
  read(): AsyncIterable<Uint8Array>
}

export type OpenSpool = () => Promise<Spool>
