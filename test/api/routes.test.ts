// What the management API answers to methods it does not have.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ADMIN_PASSWORD, type Server, startServer } from '../support/server.ts'
import { clientOf } from './client.ts'
import { basic } from './management.ts'

let server: Server
beforeAll(async () => {
  server = await startServer({ open: false })
})
afterAll(() => server.stop())

test.each([
  ['PUT', '/projects/library/repositories/app/artifacts', 'GET, POST'],
  ['PUT', '/projects/library/repositories/app/artifacts/v1/tags/v1', 'DELETE'],
  ['PUT', '/users/current', 'GET'],
  ['DELETE', '/usergroups/search', 'GET'],
])(
  '%s %s is answered 405 with what there is, and not taken for something else',
  async (method, path, allowed) => {
    const http = clientOf(server.url, basic('admin', ADMIN_PASSWORD))
    const { status, headers } = await http(method, `/api/v2.0${path}`)
    expect([status, headers.allow]).toEqual([405, allowed])
  },
)
