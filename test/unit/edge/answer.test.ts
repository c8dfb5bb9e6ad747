// S3's answer to a direct upload, made the specification's.
import { expect, test } from 'vitest'
import { edge, event, HEX, NAME, request, token } from '../../support/edge.ts'

const respond = async (made: ReturnType<typeof request>, response: object) =>
  (await edge().response.run({ ...event(made), response: { statusCode: 200, headers: {}, ...response } }))
    .result

const S3 = {
  headers: { etag: { value: '"x"' }, 'x-amz-version-id': { value: 'v' }, 'content-length': { value: '0' } },
}
const CREATED = {
  statusCode: 201,
  statusDescription: 'Created',
  headers: {
    location: { value: `/v2/${NAME}/blobs/sha256:${HEX}` },
    'docker-content-digest': { value: `sha256:${HEX}` },
    'docker-distribution-api-version': { value: 'registry/2.0' },
    'cache-control': { value: 'no-store' },
    'content-length': { value: '0' },
    'x-entrepot-path': { value: 'direct' },
  },
}

test('S3’s 200 becomes a 201 with Location and digest, without S3’s headers, from the request as it was rewritten', async () => {
  const rewritten = request('PUT', `/b/repo1/sha256/${HEX}/session0`, { 'x-entrepot-name': NAME })
  expect(await respond(rewritten, S3)).toEqual(CREATED)
})

test('the same from the request as the viewer sent it', async () => {
  const sent = request('PUT', `/v2/${NAME}/blobs/uploads/${token()}?digest=sha256%3A${HEX}`)
  expect(await respond(sent, S3)).toEqual(CREATED)
})

test('nothing else is touched', async () => {
  const answers = [
    [request('PUT', `/v2/${NAME}/blobs/uploads/${token()}?digest=sha256:${HEX}`), { statusCode: 201 }],
    [request('GET', `/b/repo1/sha256/${HEX}/session0`), { statusCode: 200 }],
    [request('PUT', '/api/v2.0/projects/1'), { statusCode: 200 }],
    [request('PUT', `/v2/${NAME}/manifests/a`), { statusCode: 200 }],
  ] as const
  for (const [made, response] of answers)
    expect(await respond(made, response)).toEqual({ headers: {}, ...response })
})
