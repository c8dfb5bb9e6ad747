// Commands that ask back, on a terminal at which somebody takes whatever they offer.
import { spawn } from 'node:child_process'
import { expect } from 'vitest'
import type { Place } from './place.ts'

const ENTER_EVERY_MS = 50

/**
 * @param first what is on the screen once it asks
 * @returns all that it showed
 */
export async function acceptAll({ env, directory }: Place, command: string, first: string): Promise<string> {
  // Under this name of a terminal nobody asks it for its colours and waits for an answer.
  const child = spawn('script', ['-qec', `stty rows 50 cols 120; ${command}`, '/dev/null'], {
    cwd: directory,
    env: { ...env, TERM: 'screen' },
  })
  let shown = ''
  child.stdout.on('data', (chunk: Buffer) => {
    shown += chunk.toString()
  })
  const pressing = setInterval(() => {
    if (shown.includes(first)) child.stdin.write('\r')
  }, ENTER_EVERY_MS)
  child.stdin.on('error', () => {}) // it has ended meanwhile
  const code = await new Promise((resolve) => child.once('exit', resolve))
  clearInterval(pressing)
  expect(code, shown).toBe(0)
  return shown
}
