// Structured logs: one JSON object a line, each with its component, requests with their id.
import { mkdirSync, renameSync, statSync } from 'node:fs'
import path from 'node:path'
import { destination, type Logger, pino } from 'pino'

const ROTATE_BYTES = 64 * 1024 * 1024
const KEPT = 5
const LOOK_EVERY_MS = 60_000
/** Lines are collected this far before they are written. */
const BUFFER_BYTES = 4096

export interface Log {
  logger: Logger
  close(): void
}

export function logFile(dataDir: string): string {
  return path.join(dataDir, 'logs', 'entrepot.jsonl')
}

export function openLog(dataDir: string, level: string, to: 'file' | 'stdout'): Log {
  const file = logFile(dataDir)
  if (to === 'file') mkdirSync(path.dirname(file), { recursive: true })
  const out = destination({ dest: to === 'file' ? file : 1, sync: false, minLength: BUFFER_BYTES })
  // A full disk costs log lines, not the registry.
  out.on('error', () => {})
  const logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, out)
  let looks = 0
  const timer = setInterval(() => {
    looks += 1
    out.flush()
    if (to === 'file' && looks % (LOOK_EVERY_MS / 1000) === 0 && rotate(file)) out.reopen()
  }, 1000)
  timer.unref()
  return {
    logger,
    close: () => {
      clearInterval(timer)
      try {
        out.flushSync()
      } catch {} // not open yet: nothing was written
      out.end()
    },
  }
}

/** entrepot.jsonl -> entrepot.1.jsonl -> … @returns whether the file was moved away */
function rotate(file: string): boolean {
  try {
    if (statSync(file).size < ROTATE_BYTES) return false
    const old = (number: number) => file.replace(/\.jsonl$/, `.${number}.jsonl`)
    for (let number = KEPT - 1; number >= 1; number--) {
      try {
        renameSync(old(number), old(number + 1))
      } catch {} // not that many yet
    }
    renameSync(file, old(1))
    return true
  } catch {
    return false
  }
}
