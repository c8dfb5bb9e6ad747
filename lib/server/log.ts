// Structured logs: one JSON object a line, each with its component, requests with their id.
import { closeSync, mkdirSync, openSync, renameSync, statSync, writeSync } from 'node:fs'
import path from 'node:path'
import { type Logger, pino } from 'pino'

const ROTATE_BYTES = 64 * 1024 * 1024
const KEPT = 5
const WRITE_EVERY_MS = 1000
/** The file’s size is looked at every so many writes. */
const LOOK_EVERY = 60
/** Lines are collected this far before they are written. */
const BUFFER_CHARACTERS = 16_384

export interface Log {
  logger: Logger
  close(): void
}

export function logFile(dataDir: string): string {
  return path.join(dataDir, 'logs', 'entrepot.jsonl')
}

/** @param directory where the file goes; without one lines go to stdout */
export function openLog(directory: string | undefined, level: string, wanted: 'file' | 'stdout'): Log {
  const to = directory === undefined ? 'stdout' : wanted
  const file = logFile(directory ?? '')
  if (to === 'file') {
    mkdirSync(path.dirname(file), { recursive: true })
    rotate(file)
  }
  const open = () => (to === 'file' ? openSync(file, 'a') : 1)
  let descriptor = open()
  let lines = ''
  let looks = 0
  const write = () => {
    const text = lines
    lines = ''
    try {
      if (text !== '') writeSync(descriptor, text)
    } catch {} // a full disk, or a reader of stdout that is slow or gone, costs log lines and not the registry
  }
  const timer = setInterval(() => {
    looks += 1
    write()
    if (to !== 'file' || looks % LOOK_EVERY !== 0 || !rotate(file)) return
    closeSync(descriptor)
    descriptor = open()
  }, WRITE_EVERY_MS)
  timer.unref()
  const collect = (line: string) => {
    lines += line
    if (lines.length >= BUFFER_CHARACTERS) write()
  }
  const logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, { write: collect })
  return {
    logger,
    close: () => {
      clearInterval(timer)
      write()
      if (to === 'file') closeSync(descriptor)
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
