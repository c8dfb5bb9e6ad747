// Options that `entrepot` takes itself, because the registry that runs the operation sees neither its input nor its
// files: a password from standard input, a file to write.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { UsageError } from './operation.ts'

/** What it says is sent with the call. */
const FILE_LIMIT = 48 * 1024

export interface OwnOptions {
  /** What is left for the operation. */
  operands: string[]
  /** Where the operation's lines go. */
  toFile?: string
  /** Where the secrets go that it makes. */
  secretsFile?: string
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
  const toFile = takeFile(operands, '--to')
  const secretsFile = takeFile(operands, '--secrets-to')
  for (const file of [toFile, secretsFile])
    if (file !== undefined && existsSync(file))
      throw new UsageError(`${file} is there already: name another file`)
  const passwordFile = takeFile(operands, '--password-file')
  if (passwordFile !== undefined) operands.push(`--password=${readText(passwordFile).split(/\r?\n/)[0]!}`)
  const authorityFile = takeFile(operands, '--ca-file')
  if (authorityFile !== undefined) operands.push(`--ca=${readText(authorityFile)}`)
  const stdin = operands.indexOf('--password-stdin')
  if (stdin >= 0) operands.splice(stdin, 1, `--password=${await firstLine(input)}`)
  const hasHost = operands.some((each) => each === '--registry' || each.startsWith('--registry='))
  const isRobotFile = operands.some((each) => each === '--for' || each.startsWith('--for='))
  if (isRobotFile && !hasHost && externalUrl !== undefined)
    operands.push('--registry', new URL(externalUrl).host)
  return {
    operands,
    ...(toFile === undefined ? {} : { toFile }),
    ...(secretsFile === undefined ? {} : { secretsFile }),
  }
}

/** Takes an option and the file it names out. @throws UsageError when it names none */
function takeFile(operands: string[], option: string): string | undefined {
  const at = operands.findIndex((each) => each === option || each.startsWith(`${option}=`))
  if (at < 0) return undefined
  const joined = operands[at] !== option
  const taken = operands.splice(at, joined ? 1 : 2)
  const file = joined ? taken[0]!.slice(option.length + 1) : taken[1]
  if (!file) throw new UsageError(`${option} needs the name of a file`)
  return file
}

/** @throws UsageError */
export function readText(file: string): string {
  try {
    const text = readFileSync(file, 'utf8')
    if (text.length <= FILE_LIMIT) return text
  } catch (error) {
    throw new UsageError(`cannot read ${file}: ${(error as Error).message}`)
  }
  throw new UsageError(`${file} has more than ${FILE_LIMIT} characters`)
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
