// A client of the management API, whose answers are compared with Harbor's file, and the people its tests need.
import { expect } from 'vitest'
import { asHarbor } from '../harbor/as-harbor.ts'
import { ADMIN_PASSWORD } from '../support/server.ts'
import type { Answer } from './client.ts'

export interface HarborAnswer extends Answer {
  /** The body, parsed; undefined where there is none. */
  json: ReturnType<typeof JSON.parse>
}

export interface Harbor {
  (method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<HarborAnswer>
  url: string
}

export const PASSWORD = 'Passw0rd-of-tests'

export const basic = (name: string, password: string) =>
  `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`

/** @param name logs in with the password; anonymous without. @param password `admin` has another one by default */
export function harborOf(url: string, name?: string, password?: string): Harbor {
  const secret = password ?? (name === 'admin' ? ADMIN_PASSWORD : PASSWORD)
  const http = asHarbor(url, name === undefined ? undefined : basic(name, secret))
  const send = async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<HarborAnswer> => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const described =
      text === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }
    const answer = await http(method, `/api/v2.0${path}`, {
      headers: { ...described, ...headers },
      ...(text === undefined ? {} : { body: text }),
    })
    const isJson = String(answer.headers['content-type']).startsWith('application/json')
    return {
      ...answer,
      json: isJson && answer.body.length > 0 ? JSON.parse(answer.body.toString()) : undefined,
    }
  }
  return Object.assign(send, { url })
}

/** The number at the end of a 201's Location. */
export function numberOf({ status, body, headers }: HarborAnswer): number {
  expect([status, body.toString()]).toEqual([201, expect.anything()])
  return Number(headers.location!.split('/').at(-1))
}

/** @returns the user's number */
export async function makeUser(admin: Harbor, name: string, more: object = {}): Promise<number> {
  const user = { username: name, email: `${name}@example.com`, realname: name, password: PASSWORD, ...more }
  return numberOf(await admin('POST', '/users', user))
}

/** A private project without members: whoever makes one by the API is its first, and is taken out again. */
export async function makeProject(admin: Harbor, name: string): Promise<void> {
  const made = await admin('POST', '/projects', { project_name: name })
  const path = `/projects/${numberOf(made)}/members`
  for (const { id } of (await admin('GET', path)).json) await admin('DELETE', `${path}/${id}`)
}
