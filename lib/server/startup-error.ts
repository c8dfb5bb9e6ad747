// Why the program cannot start: one line saying what and what to do, and an exit code for scripts.

export const EXIT_CODES = { usage: 2, port: 3, data: 4, locked: 5 } as const

export class StartupError extends Error {
  readonly exitCode: number

  constructor(kind: keyof typeof EXIT_CODES, message: string, cause?: unknown) {
    super(message, { cause })
    this.exitCode = EXIT_CODES[kind]
  }
}
