// Options that `entrepot` takes itself, because the registry that runs the operation sees neither its input nor its
// files: a password from standard input, a file to write.
import { existsSync, writeFileSync } from 'node:fs'
import { UsageError } from './operation.ts'

export interface OwnOptions {
  /** What is left for the operation. */
  operands: string[]
  /** Where the operation's lines go. */
  toFile?: string
}

/**
 * @param externalUrl how clients reach the registry, where that is configured
 * @throws UsageError; before anything is done, so that no secret is made and then lost
 */
export async function takeOwnOptions(
  args: string[],
  input: AsyncIterable<Uint8Array | string>,
  externalUrl: string | undefined,
): Promise<OwnOptions> {
  const operands = [...args]
  const to = operands.indexOf('--to')
  const [, toFile] = to < 0 ? [] : operands.splice(to, 2)
  if (to >= 0 && !toFile) throw new UsageError('--to needs the name of a file')
  if (toFile !== undefined && existsSync(toFile))
    throw new UsageError(`${toFile} is there already: name another file`)
  const stdin = operands.indexOf('--password-stdin')
  if (stdin >= 0) operands.splice(stdin, 1, `--password=${await firstLine(input)}`)
  const hasHost = operands.some((each) => each === '--registry' || each.startsWith('--registry='))
  const isRobotFile = operands.some((each) => each === '--for' || each.startsWith('--for='))
  if (isRobotFile && !hasHost && externalUrl !== undefined)
    operands.push('--registry', new URL(externalUrl).host)
  return { operands, ...(toFile === undefined ? {} : { toFile }) }
}

async function firstLine(input: AsyncIterable<Uint8Array | string>): Promise<string> {
  let text = ''
  for await (const chunk of input) {
    text += Buffer.from(chunk as Uint8Array).toString('utf8')
    if (text.length > 10_000) throw new UsageError('the password on standard input is too long')
  }
  return text.split(/\r?\n/)[0]!
}

/** For nobody but its owner to read: it may hold a secret. */
export function writeLines(file: string, lines: string[]): void {
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600, flag: 'wx' })
}
