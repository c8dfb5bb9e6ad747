// People for tests of the management API: they all have the same password.
import { expect } from 'vitest'
import type { Server } from '../support/server.ts'
import { type Harbor, type HarborAnswer, harborOf } from './harbor.ts'

export const PASSWORD = 'Passw0rd-of-tests'

export const loginOf = (server: Pick<Server, 'url'>, name: string, password = PASSWORD): Harbor =>
  harborOf(server, [name, password])

/** The number at the end of a 201's Location. */
export function numberOf({ status, body, headers }: HarborAnswer): number {
  expect([status, body]).toEqual([201, expect.anything()])
  return Number(String(headers.location).split('/').at(-1))
}

/** @returns the user's number */
export async function makeUser(admin: Harbor, name: string, more: object = {}): Promise<number> {
  const user = { username: name, email: `${name}@example.com`, realname: name, password: PASSWORD, ...more }
  return numberOf(await admin('POST', '/users', user))
}
