// The processes behind a twin's own MiniStack: other twins may run on the same machine.
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** The command line of one; MiniStack's own does not begin so. */
const FUNCTION = /^[^\0]*node\0[^\0]*ministack-lambda/

/** @returns how many functions were running, and are killed */
export function killFunctions(pid: number): number {
  const killed = descendantsOf(pid).filter((each) => {
    try {
      return FUNCTION.test(readFileSync(`/proc/${each}/cmdline`, 'utf8')) && process.kill(each, 'SIGKILL')
    } catch {
      return false // it ended
    }
  })
  return killed.length
}

export function descendantsOf(pid: number): number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc').filter((each) => /^\d+$/.test(each))) {
    try {
      const stat = readFileSync(path.join('/proc', name, 'stat'), 'utf8')
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
      children.set(parent, [...(children.get(parent) ?? []), Number(name)])
    } catch {} // it ended
  }
  const all = [pid]
  for (const each of all) all.push(...(children.get(each) ?? []))
  return all
}
