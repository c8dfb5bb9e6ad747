import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { asHarbor } from './as-harbor.ts'
import type { Exchange } from './contract.ts'
import { EXCEPTIONS } from './exceptions.ts'
import { heard } from './heard.ts'
import { objections } from './schema.ts'
import { OPERATIONS, operationOf } from './swagger.ts'

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8', 'x-request-id': 'r-1' }
const LIST = { ...JSON_TYPE, 'x-total-count': '1' }
const LABEL = {
  id: 7,
  name: 'urgent',
  scope: 'g',
  color: '#FF0000',
  creation_time: '2026-01-02T03:04:05.678Z',
}
const DENIED = { errors: [{ code: 'FORBIDDEN', message: 'no right' }] }

function exchange(method: string, path: string, status: number, body: unknown, headers = {}): Exchange {
  const text = body === undefined ? '' : JSON.stringify(body)
  return { method, path: `/api/v2.0${path}`, status, headers: { ...JSON_TYPE, ...headers }, body: text }
}

/** What is found, without the words on the request. */
const found = (each: Exchange) => heard(each).map((line) => line.slice(line.indexOf(': ') + 2))

test('Harbor’s file has 203 operations and every schema in it can be compiled', () => {
  expect(OPERATIONS).toHaveLength(203)
  for (const { responses } of OPERATIONS)
    for (const { schema } of Object.values(responses))
      if (schema && schema.type !== 'file') expect(() => objections(schema, null)).not.toThrow()
})

test.each([
  ['GET', '/projects', 'listProjects'],
  ['GET', '/projects/?page=1', 'listProjects'],
  ['GET', '/projects/p/metadatas/', 'listProjectMetadatas'],
  ['GET', '/projects/p/metadatas', 'listProjectMetadatas'],
  ['GET', '//users//current', 'getCurrentUserInfo'],
  ['GET', '/users/12', 'getUser'],
  ['GET', '/projects/p/repositories/a%252Fb', 'getRepository'],
  ['GET', '/projects/p/repositories/a%2Fb/artifacts/v1', 'getArtifact'],
  ['GET', '/projects/p/repositories/a/b/artifacts', 'listArtifacts'],
  ['GET', '/projects/p/repositories/a/artifacts/b/artifacts/v1/tags', 'listTags'],
  ['DELETE', '/projects/p/repositories/a/b', 'deleteRepository'],
  ['GET', '/projects/p/repositories/a/artifacts/v1/additions/vulnerabilities', 'getVulnerabilitiesAddition'],
  ['GET', '/projects/p/repositories/a/artifacts/v1/additions/values.yaml', 'getAddition'],
  ['GET', '/quotas/?page=1&page_size=100', 'listQuotas'],
  ['PATCH', '/projects', undefined],
  ['GET', '/nonsense', undefined],
])('%s %s is the operation %s', (method, path, id) => {
  expect(operationOf(method, `/api/v2.0${path}`)?.id).toBe(id)
})

test.each<[string, Exchange]>([
  ['a list with its count', exchange('GET', '/labels?scope=g', 200, [LABEL], LIST)],
  [
    'a number of another format',
    exchange('GET', '/quotas/1', 200, { id: 1, hard: { storage: -1 }, used: { storage: 0 } }),
  ],
  [
    'a null where the file allows one',
    exchange('GET', '/projects/1', 200, { repo_count: 0, metadata: { public: 'true', prevent_vul: null } }),
  ],
  ['a path as location', exchange('POST', '/labels', 201, undefined, { location: '/api/v2.0/labels/7' })],
  ['an error', exchange('GET', '/labels/7', 404, DENIED)],
  ['an error that middleware may answer everywhere', exchange('GET', '/labels', 403, DENIED)],
  ['a name for what no operation is there', exchange('GET', '/nonsense', 404, DENIED)],
  [
    'any value in extra attributes',
    exchange('GET', '/projects/p/repositories/r/artifacts/v1', 200, {
      extra_attrs: { os: 'linux', config: {} },
    }),
  ],
  ['no schedule', exchange('GET', '/system/gc/schedule', 200, undefined)],
  [
    'a plain text',
    {
      ...exchange('GET', '/ping', 200, undefined, { 'content-type': 'text/plain; charset=utf-8' }),
      body: 'Pong',
    },
  ],
  ['a head', exchange('HEAD', '/projects?project_name=p', 200, undefined)],
])('%s is as Harbor describes it', (_, each) => {
  expect(found(each)).toEqual([])
})

test.each<[string, Exchange, RegExp]>([
  ['a failure of the registry', exchange('GET', '/labels/7', 500, DENIED), /answered 500/],
  ['a status', exchange('DELETE', '/labels/7', 204, undefined), /status 204 is not described/],
  [
    'a string for a number',
    exchange('GET', '/labels/7', 200, { ...LABEL, id: '7' }),
    /body\/id must be integer/,
  ],
  [
    'a number for a string',
    exchange('GET', '/projects/1', 200, { repo_count: 0, metadata: { public: true } }),
    /metadata\/public must be string/,
  ],
  [
    'a field Harbor does not have',
    exchange('GET', '/labels/7', 200, { ...LABEL, labelId: 7 }),
    /additional properties: "labelId"/,
  ],
  [
    'a field Harbor always writes',
    exchange('GET', '/users/current', 200, { user_id: 1 }),
    /required property 'sysadmin_flag'/,
  ],
  ['a null', exchange('GET', '/labels/7', 200, { ...LABEL, name: null }), /body\/name must be string/],
  [
    'an empty time',
    exchange('GET', '/labels/7', 200, { ...LABEL, update_time: '' }),
    /match format "date-time"/,
  ],
  ['a fraction', exchange('GET', '/labels/7', 200, { ...LABEL, id: 7.5 }), /body\/id must be integer/],
  ['a list without count', exchange('GET', '/labels', 200, [LABEL]), /X-Total-Count is missing/],
  [
    'a count that is no number',
    exchange('GET', '/labels', 200, [LABEL], { 'x-total-count': 'many' }),
    /no number/,
  ],
  ['more rows than counted', exchange('GET', '/labels', 200, [LABEL, LABEL], LIST), /1 for 2 rows/],
  [
    'more rows than asked',
    exchange('GET', '/labels?page_size=1', 200, [LABEL, LABEL], {
      'x-total-count': '2',
      link: '<x>; rel="next"',
    }),
    /2 rows on a page of 1/,
  ],
  [
    'a page without its next',
    exchange('GET', '/labels?page_size=1', 200, [LABEL], { 'x-total-count': '2' }),
    /no rel="next"/,
  ],
  [
    'a page without the one before',
    exchange('GET', '/labels?page_size=1&page=2', 200, [LABEL], { 'x-total-count': '2' }),
    /no rel="prev"/,
  ],
  ['a created thing without location', exchange('POST', '/labels', 201, undefined), /Location is missing/],
  [
    'a whole URL as location',
    exchange('POST', '/labels', 201, undefined, { location: 'http://h/api/v2.0/labels/7' }),
    /no path/,
  ],
  [
    'a location with a slash at its end',
    exchange('POST', '/labels', 201, undefined, { location: '/api/v2.0/labels/7/' }),
    /no path/,
  ],
  ['a body where none belongs', exchange('PUT', '/labels/7', 200, {}), /a body although none/],
  ['an empty body', exchange('GET', '/labels/7', 200, undefined), /the body is empty/],
  [
    'a key in the error',
    exchange('GET', '/labels/7', 404, { errors: [{ code: 'NOT_FOUND', message: '', detail: {} }] }),
    /additional properties: "detail"/,
  ],
  ['an error without errors', exchange('GET', '/labels/7', 404, {}), /no first error/],
  [
    'another content type',
    exchange('GET', '/labels/7', 200, LABEL, { 'content-type': 'text/html' }),
    /not application\/json/,
  ],
  [
    'no request id',
    exchange('GET', '/labels/7', 404, DENIED, { 'x-request-id': undefined }),
    /X-Request-Id is missing/,
  ],
  [
    'an operation that the registry lacks',
    exchange('GET', '/labels/7', 404, {
      errors: [{ code: 'NOT_FOUND', message: '/api/v2.0/labels/7 is no endpoint of this API' }],
    }),
    /does not have this operation/,
  ],
  ['an operation that Harbor lacks', exchange('GET', '/nonsense', 200, {}), /no such operation/],
])('%s is found', (_, each, what) => {
  expect(found(each).join('\n')).toMatch(what)
})

test('an exception opens only what it names', () => {
  expect(found(exchange('GET', '/labels', 200, undefined, LIST))).toEqual(['the body is empty'])
  expect(found(exchange('GET', '/labels', 412, DENIED))).toEqual(['status 412 is not described'])
  const ids = OPERATIONS.map(({ id }) => id)
  for (const { operations, because } of EXCEPTIONS) {
    if (operations !== '*') expect(ids).toEqual(expect.arrayContaining(operations))
    expect(because.length).toBeGreaterThan(20)
  }
})

test('the client sends what it is told and throws when the answer breaks the contract', async () => {
  const asked: unknown[] = []
  const server = createServer((request, response) => {
    asked.push([request.method, request.url, request.headers.authorization])
    const good = request.url === '/api/v2.0/labels/7'
    response.writeHead(200, JSON_TYPE).end(JSON.stringify(good ? LABEL : { ...LABEL, id: '8' }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const harbor = asHarbor(url, { user: 'admin', password: 'secret' })
  expect((await harbor('GET', '/labels/7')).json).toEqual(LABEL)
  await expect(harbor('GET', '/labels/8')).rejects.toThrow(/GetLabelByID.*body\/id must be integer/)
  expect(asked[0]).toEqual(['GET', '/api/v2.0/labels/7', 'Basic YWRtaW46c2VjcmV0'])
  server.close()
})
