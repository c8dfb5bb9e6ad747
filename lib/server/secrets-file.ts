// A file for the secrets that an operation makes: each is on disk as soon as it is told, whatever comes after.
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs'

/** What lines begin with that tell a secret. */
export const SECRET_LINE = 'secret\t'

/**
 * @param file made now, for nobody but its owner to read; it must not be there
 * @param show gets all other lines
 */
export function keepSecrets(
  file: string,
  show: (line: string) => void,
): { show(line: string): void; close(print: (line: string) => void): void } {
  const descriptor = openSync(file, 'wx', 0o600)
  let kept = 0
  return {
    show: (line) => {
      if (!line.startsWith(SECRET_LINE)) return show(line)
      writeSync(descriptor, `${line.slice(SECRET_LINE.length)}\n`)
      fsyncSync(descriptor)
      kept += 1
    },
    close: (print) => {
      closeSync(descriptor)
      if (kept === 0) rmSync(file)
      else print(`wrote ${kept} ${kept === 1 ? 'secret' : 'secrets'} to ${file}`)
    },
  }
}
