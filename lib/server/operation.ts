// What an operation of `entrepot` is, and how it reads its arguments.
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import type { Upstreams } from '../registries/upstreams.ts'
import type { Actor, Registry } from '../registry/registry.ts'
import type { Background } from './background.ts'
import type { OpenStores } from './open-stores.ts'

export interface Operation {
  usage: string
  what: string
  /** Its first operand is a file of whoever calls it: `run` gets its text. */
  takesFile?: true
  /** @returns the exit code */
  run(context: OperationContext, args: string[]): Promise<number>
}

/** What operations use of the process they run in: the registry's server, or `entrepot` where none runs. */
export interface Process extends Pick<Background, 'sweepNow' | 'withoutSweeps'> {
  upstreams: Upstreams
  /** `https://registry.example.com`, as clients reach this registry; empty where nobody knows. */
  origin(): string
  /** Runs work that waits for jobs: they run meanwhile, if not elsewhere then here. */
  withJobs<T>(work: () => Promise<T>): Promise<T>
}

export interface OperationContext {
  stores: OpenStores
  registry: Registry
  background: Process
  actor: Actor
  print(line: string): void
}

/** Wrong arguments: the answer is the operation's usage. */
export class UsageError extends Error {}

/** Options and names, mixed as people mix them. @throws UsageError for options that are not among these */
export function parsed<Options extends ParseArgsOptionsConfig>(args: string[], options: Options) {
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true })
  } catch (error) {
    throw new UsageError((error as Error).message.split('. ')[0])
  }
}

/** @throws UsageError unless there is exactly one, and it is not empty */
export function one(args: string[]): string {
  if (args.length !== 1 || args[0] === '') throw new UsageError('expected exactly one argument')
  return args[0]!
}

/** What others wrote may not move the cursor of whoever reads it. */
export function printable(line: string): string {
  return line.replaceAll(/(?!\t)\p{Cc}/gu, '?')
}
