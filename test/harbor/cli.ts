// harbor-cli, logged in as the administrator.
import { expect } from 'vitest'
import type { Place } from './place.ts'

export type HarborCli = Awaited<ReturnType<typeof harborCli>>

export async function harborCli(at: Place) {
  /** @returns what it answered. @throws when it fails */
  const harbor = (...args: string[]) => at.succeed('harbor-cli', args)
  await harbor('login', at.url, '-u', 'admin', '-p', at.password)
  return {
    harbor,
    /** A command that must fail. */
    refused: async (...args: string[]) => expect((await at.run('harbor-cli', args)).code).not.toBe(0),
    /** What a command prints as JSON, which may be the answer or the answer's payload. */
    printed: async (...args: string[]) => {
      const output = await harbor(...args, '-o', 'json')
      const parsed = JSON.parse(output.slice(output.search(/^[[{]/m)))
      return parsed.Payload ?? parsed
    },
  }
}
