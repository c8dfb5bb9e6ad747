// What the kernel knows of a process, and programs run to their end.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { promisify } from 'node:util'
import { toolPath } from '../tools.ts'

const TICKS_PER_SECOND = 100

/** User and system time of all its threads so far. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The second field, the program's name, may hold spaces; what follows its closing bracket may not.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** The most memory it ever held (VmHWM). */
export function peakMemoryMiB(pid: number): number {
  const match = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  if (!match) throw new Error(`process ${pid} reports no VmHWM`)
  return Number(match[1]) / 1024
}

export function loadAverage(): string {
  return readFileSync('/proc/loadavg', 'utf8').split(' ')[0]!
}

/** Everything printed. @throws with the end of what it printed when it fails */
export async function runProgram(command: string, args: string[], timeoutMs = 600_000): Promise<string> {
  const options = {
    env: { ...process.env, PATH: toolPath },
    timeout: timeoutMs,
    maxBuffer: 64 * 1024 * 1024,
  }
  try {
    const { stdout } = await promisify(execFile)(command, args, options)
    return stdout
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string }
    throw new Error(`${command} ${args[0]}: ${(stderr || message).trim().slice(-400)}`)
  }
}

/** A loopback port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
