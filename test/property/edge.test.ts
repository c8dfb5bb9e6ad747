// The edge under whatever clients send.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readSessionToken } from '../../lib/registry/session-token.ts'
import { edge, event, HEX, KEYS, NAME, NOW_S, request, token } from '../support/edge.ts'

const ALLOWED = ['content-length', 'content-type', 'host', 'x-amz-content-sha256', 'x-entrepot-name']
const sessionKeys = {
  currentId: 'abcd',
  secrets: new Map(Object.entries(KEYS).map(([id, secret]) => [id, Buffer.from(secret)])),
}

const names = fc.constantFrom(NAME, 'library/other', 'a', 'a/blobs/uploads/b', `${NAME}/blobs`)
/** For the path's name mostly. */
const tokens = fc
  .record({
    name: fc.oneof({ weight: 4, arbitrary: fc.constant(NAME) }, names),
    keyId: fc.constantFrom('abcd', '0123'),
    life: fc.constantFrom(3600, 60, -1),
    patched: fc.boolean(),
    limitBytes: fc.constantFrom(999, 1000, 2 ** 40),
  })
  .map(({ life, ...session }) => token({ ...session, expiresAtEpochSeconds: NOW_S + life }))
/** One character other than it was, at any place; or none. */
const mutated = fc
  .tuple(
    tokens,
    fc.option(fc.tuple(fc.nat(), fc.constantFrom('0', 'a', '.', '~', '/', '%', 'A', '')), { freq: 2 }),
  )
  .map(([text, change]) => {
    if (!change) return text
    const at = change[0] % text.length
    return text.slice(0, at) + change[1] + text.slice(at + 1)
  })
const digests = fc.constantFrom(
  `digest=sha256:${HEX}`,
  `digest=sha256:${HEX}&a=b`,
  `a=b&digest=sha256:${HEX}`,
  `digest=sha256%3A${HEX}`,
  `digest=sha256%253A${HEX}`,
  `digest=sha256:${HEX}&digest=sha256:${HEX}`,
  `digest=sha512:${HEX}${HEX}`,
  `digest=${HEX}`,
  'digest',
  '',
)
const headerName = fc.constantFrom(
  'x-amz-acl',
  'x-amz-copy-source',
  'x-amz-content-sha256',
  'x-amz-meta-x',
  'x-amz-tagging',
  'x-entrepot-origin',
  'x-entrepot-name',
  'authorization',
  'cookie',
  'content-type',
  'content-encoding',
  'content-range',
  'transfer-encoding',
  'if-match',
  'expect',
  'range',
)
/** Half of the time none that would send the upload elsewhere. */
const harmless = headerName.filter(
  (name) => !/^(content-encoding|content-range|transfer-encoding)$/.test(name),
)
const values = fc.oneof(fc.string(), fc.array(fc.string(), { minLength: 1, maxLength: 2 }))
const headers = fc.oneof(
  fc.dictionary(harmless, values, { maxKeys: 5 }),
  fc.dictionary(headerName, values, { maxKeys: 5 }),
)
const length = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('1', '999') },
  fc.constantFrom('0', '1000', '5368709121', '-1', 'x', ''),
)
const method = fc.oneof(
  { weight: 3, arbitrary: fc.constant('PUT') },
  fc.constantFrom('PATCH', 'GET', 'POST', 'DELETE', 'OPTIONS'),
)

test('nothing reaches S3 without a valid session of exactly that repository, and only with the headers of the list', async () => {
  const { request: viewerRequest } = edge()
  let reached = 0
  const property = fc.asyncProperty(
    method,
    fc.oneof({ weight: 4, arbitrary: fc.constant(NAME) }, names),
    mutated,
    digests,
    headers,
    length,
    async (verb, name, session, digest, given, bytes) => {
      const made = request(verb, `/v2/${name}/blobs/uploads/${session}?${digest}`, {
        ...given,
        'content-length': bytes,
      })
      const { result, origin } = await viewerRequest.run(event(made))
      if (origin !== 'blobs' || 'statusCode' in result) return
      reached += 1
      // Throws when the token is not valid for the name, by the registry's own reading of it.
      const { repositoryId, id, patched, limitBytes } = readSessionToken(
        sessionKeys,
        name,
        session,
        Date.now(),
      )
      expect(patched).toBe(false)
      expect(Number(bytes)).toBeGreaterThan(0)
      expect(Number(bytes)).toBeLessThanOrEqual(limitBytes)
      expect(result.uri).toBe(`/b/${repositoryId}/sha256/${HEX}/${id}`)
      expect(Object.keys(result.headers).sort()).toEqual(ALLOWED)
      expect(result.headers['x-amz-content-sha256']).toEqual({ value: HEX })
      expect(result.headers['content-type']).toEqual({ value: 'application/octet-stream' })
      expect(result.headers['x-entrepot-name']).toEqual({ value: name })
      expect(result.querystring).toEqual({})
      expect(result.cookies).toEqual({})
    },
  )
  await fc.assert(property, { numRuns: 5000 })
  expect(reached).toBeGreaterThan(50)
})

const anyText = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '%', '%zz', '/'.repeat(300)),
)

test('malformed input never makes it fail, and never changes what is read-only', async () => {
  const { request: viewerRequest, response: viewerResponse } = edge()
  const property = fc.asyncProperty(
    fc.oneof(method, anyText),
    anyText,
    fc.dictionary(anyText, fc.record({ value: anyText })),
    fc.dictionary(
      fc.oneof(
        headerName,
        fc.string({ minLength: 1 }).map((text) => text.toLowerCase()),
      ),
      anyText,
    ),
    async (verb, path, querystring, given) => {
      const values = Object.fromEntries(Object.entries(given).map(([name, value]) => [name, { value }]))
      const made = { method: verb, uri: `/v2/${path}`, querystring, headers: values, cookies: {} }
      await viewerRequest.run(event(made))
      const response = { statusCode: 200, headers: values }
      await viewerResponse.run({ ...event(made), response })
    },
  )
  await fc.assert(property, { numRuns: 2000 })
})

test('any Authorization is answered with a challenge or left to the API', async () => {
  const { request: viewerRequest } = edge()
  const part = fc.oneof(
    fc.json().map((text) => Buffer.from(text).toString('base64url')),
    fc.string(),
  )
  const property = fc.asyncProperty(fc.array(part, { maxLength: 4 }), async (parts) => {
    const made = request('GET', `/v2/${NAME}/manifests/a`, { authorization: `Bearer ${parts.join('.')}` })
    const { result, origin } = await viewerRequest.run(event(made))
    expect(origin).toBeUndefined()
    if ('statusCode' in result) expect(result.statusCode).toBe(401)
  })
  await fc.assert(property, { numRuns: 1000 })
})
