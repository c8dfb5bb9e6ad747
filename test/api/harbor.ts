// The management API as its clients use it: JSON, Basic, one line a request. Each answer is compared with Harbor's file.
import { asHarbor } from '../harbor/as-harbor.ts'
import { ADMIN_PASSWORD, type Server } from '../support/server.ts'

export interface HarborAnswer {
  status: number
  headers: Record<string, string | string[] | undefined>
  // biome-ignore lint/suspicious/noExplicitAny: whatever the API answers
  body: any
  /** Of the first error. */
  code: string | undefined
  message: string
}

export type Harbor = (
  method: string,
  path: string,
  body?: unknown,
  headers?: Record<string, string>,
) => Promise<HarborAnswer>

export const basicOf = (name: string, password: string) =>
  `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`

/** @param login absent: nobody */
export function harborOf(server: Pick<Server, 'url'>, login?: [name: string, password: string]): Harbor {
  const http = asHarbor(server.url, login && basicOf(...login))
  return async (method, path, body, headers = {}) => {
    const sent = body === undefined ? {} : { body: JSON.stringify(body) }
    const answer = await http(method, `/api/v2.0${path}`, {
      ...sent,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    })
    const text = answer.body.toString()
    const isJson = answer.headers['content-type']?.startsWith('application/json')
    return {
      status: answer.status,
      headers: answer.headers,
      body: isJson && text !== '' ? JSON.parse(text) : text,
      code: answer.code,
      message: answer.message,
    }
  }
}

export const adminOf = (server: Pick<Server, 'url'>): Harbor => harborOf(server, ['admin', ADMIN_PASSWORD])
