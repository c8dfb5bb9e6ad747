// Reads an strace log of the server and asks in what order the system was told things.

export interface Call {
  name: string
  line: string
}

/** Joins `<unfinished ...>` and `resumed` lines, placing each call where it ended. */
export function parseTrace(text: string): Call[] {
  const begun = new Map<string, string>()
  const calls: Call[] = []
  for (const line of text.split('\n')) {
    const match = /^(\d+)\s+(?:[\d.:]+\s+)?(.*)$/.exec(line)
    if (!match) continue
    const [, pid, rest] = match as unknown as [string, string, string]
    if (rest.includes('<unfinished ...>')) {
      begun.set(pid, rest.replace(/\s*<unfinished \.\.\.>.*/, ''))
      continue
    }
    const resumed = /^<\.\.\. (\w+) resumed>(.*)$/.exec(rest)
    const whole = resumed ? `${begun.get(pid) ?? `${resumed[1]}(`}${resumed[2]}` : rest
    const name = /^(\w+)\(/.exec(whole)?.[1]
    if (name) calls.push({ name, line: whole })
  }
  return calls
}

/** Index of the first call at or after `from` for which `holds`; -1 when there is none. */
export function next(calls: Call[], from: number, holds: (call: Call) => boolean): number {
  return calls.findIndex((call, index) => index >= from && holds(call))
}
