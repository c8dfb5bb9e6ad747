// Where external programs are found: tools/bin first, then PATH.
import { accessSync, constants, readFileSync } from 'node:fs'
import path from 'node:path'

const toolsDir = path.resolve(import.meta.dirname, '../tools')

/** PATH with tools/bin in front, for child processes. */
export const toolPath = `${path.join(toolsDir, 'bin')}:${process.env.PATH}:/usr/sbin:/sbin`

/** The absolute path of a program, or undefined when this machine lacks it. */
export function findTool(name: string): string | undefined {
  for (const dir of toolPath.split(':')) {
    const file = path.join(dir, name)
    try {
      accessSync(file, constants.X_OK)
      return file
    } catch {}
  }
  return undefined
}

interface Unavailable {
  tool: string
  command: string
  error: string
  date: string
}

/** Tools that were honestly tried and cannot be had here (tools/unavailable.json). */
export function unavailableTools(): Map<string, Unavailable> {
  const entries = JSON.parse(readFileSync(path.join(toolsDir, 'unavailable.json'), 'utf8')) as Unavailable[]
  return new Map(entries.map((entry) => [entry.tool, entry]))
}
