// Where each request goes, row by row: every client's way to push, and every rule of the front door.
import { expect, test } from 'vitest'
import { DOCTOR_REPOSITORY } from '../../../lib/doctor/doctor.ts'
import type { EdgeResponse } from '../../../lib/edge/apply.ts'
import {
  access,
  type EdgeSetup,
  edge,
  event,
  HEX,
  HOST,
  jwt,
  NAME,
  NOW_S,
  request,
  token,
} from '../../support/edge.ts'

const OPEN = 'an answer of the edge'
const uploads = `/v2/${NAME}/blobs/uploads`
const DIGEST = `digest=sha256:${HEX}`
const LENGTH = { 'content-length': '1000' }

interface Row {
  rule: string
  method: string
  path: string
  headers?: Record<string, string | string[]>
  setup?: EdgeSetup
  to: 'api' | 'ingest' | 'blobs' | number
}

const ROWS: Row[] = [
  // Uploads, by what the client sends (the families of clients and their ways).
  {
    rule: 'containerd, Docker 29, buildx: one PUT with length and digest',
    method: 'PUT',
    path: `${uploads}/${token()}?${DIGEST}`,
    headers: LENGTH,
    to: 'blobs',
  },
  {
    rule: 'oras, helm, regctl: the same with an encoded colon',
    method: 'PUT',
    path: `${uploads}/${token()}?digest=sha256%3A${HEX}`,
    headers: LENGTH,
    to: 'blobs',
  },
  {
    rule: 'the same with a small a in it',
    method: 'PUT',
    path: `${uploads}/${token()}?digest=sha256%3a${HEX}`,
    headers: LENGTH,
    to: 'blobs',
  },
  {
    rule: 'a client that says identity',
    method: 'PUT',
    path: `${uploads}/${token()}?${DIGEST}`,
    headers: { ...LENGTH, 'content-encoding': 'identity' },
    to: 'blobs',
  },
  {
    rule: 'docker 28, podman, skopeo, crane: PATCH in chunks of unknown length',
    method: 'PATCH',
    path: `${uploads}/${token()}`,
    headers: { 'transfer-encoding': 'chunked' },
    to: 'ingest',
  },
  {
    rule: 'regctl’s chunks: PATCH with Content-Range',
    method: 'PATCH',
    path: `${uploads}/${token({ patched: true })}`,
    headers: { ...LENGTH, 'content-range': '0-999' },
    to: 'ingest',
  },
  {
    rule: 'the empty PUT that commits a stream',
    method: 'PUT',
    path: `${uploads}/${token({ patched: true })}?${DIGEST}`,
    headers: { 'content-length': '0' },
    to: 'ingest',
  },
  {
    rule: 'the last chunk in the PUT',
    method: 'PUT',
    path: `${uploads}/${token({ patched: true })}?${DIGEST}`,
    headers: LENGTH,
    to: 'ingest',
  },
  {
    rule: 'a PUT of unknown length',
    method: 'PUT',
    path: `${uploads}/${token()}?${DIGEST}`,
    headers: { 'transfer-encoding': 'chunked' },
    to: 'ingest',
  },
  {
    rule: 'a PUT with both lengths',
    method: 'PUT',
    path: `${uploads}/${token()}?${DIGEST}`,
    headers: { ...LENGTH, 'transfer-encoding': 'chunked' },
    to: 'ingest',
  },
  {
    rule: 'a PUT with Content-Range',
    method: 'PUT',
    path: `${uploads}/${token()}?${DIGEST}`,
    headers: { ...LENGTH, 'content-range': '0-999' },
    to: 'ingest',
  },
  {
    rule: 'a PUT of an encoded body',
    method: 'PUT',
    path: `${uploads}/${token()}?${DIGEST}`,
    headers: { ...LENGTH, 'content-encoding': 'gzip' },
    to: 'ingest',
  },
  {
    rule: 'exactly 5 GiB',
    method: 'PUT',
    path: `${uploads}/${token()}?${DIGEST}`,
    headers: { 'content-length': String(5 * 2 ** 30) },
    to: 'blobs',
  },
  {
    rule: 'more than S3 takes at once',
    method: 'PUT',
    path: `${uploads}/${token()}?${DIGEST}`,
    headers: { 'content-length': String(5 * 2 ** 30 + 1) },
    to: 'ingest',
  },
  {
    rule: 'another algorithm',
    method: 'PUT',
    path: `${uploads}/${token()}?digest=sha512:${HEX}${HEX}`,
    headers: LENGTH,
    to: 'ingest',
  },
  {
    rule: 'two digests',
    method: 'PUT',
    path: `${uploads}/${token()}?${DIGEST}&digest=sha256:${'00'.repeat(32)}`,
    headers: LENGTH,
    to: 'ingest',
  },
  { rule: 'no digest', method: 'PUT', path: `${uploads}/${token()}`, headers: LENGTH, to: 'ingest' },
  {
    rule: 'a digest in capitals',
    method: 'PUT',
    path: `${uploads}/${token()}?digest=sha256:${HEX.toUpperCase()}`,
    headers: LENGTH,
    to: 'ingest',
  },
  {
    rule: 'a length that is no number',
    method: 'PUT',
    path: `${uploads}/${token()}?${DIGEST}`,
    headers: { 'content-length': '1e3' },
    to: 'ingest',
  },
  {
    rule: 'the empty blob',
    method: 'PUT',
    path: `${uploads}/${token()}?${DIGEST}`,
    headers: { 'content-length': '0' },
    to: 'api',
  },
  {
    rule: 'the status of a session nothing was streamed to',
    method: 'GET',
    path: `${uploads}/${token()}`,
    to: 'api',
  },
  {
    rule: 'the status of a stream',
    method: 'GET',
    path: `${uploads}/${token({ patched: true })}`,
    to: 'ingest',
  },
  {
    rule: 'cancelling a stream',
    method: 'DELETE',
    path: `${uploads}/${token({ patched: true })}`,
    to: 'ingest',
  },
  {
    rule: 'direct uploads off',
    method: 'PUT',
    path: `${uploads}/${token()}?${DIGEST}`,
    headers: LENGTH,
    setup: { direct: 'off' },
    to: 'ingest',
  },
  {
    rule: 'direct uploads never switched on',
    method: 'PUT',
    path: `${uploads}/${token()}?${DIGEST}`,
    headers: LENGTH,
    setup: { direct: null },
    to: 'ingest',
  },
  {
    rule: 'direct uploads of the doctor’s repository alone: its own',
    method: 'PUT',
    path: `/v2/${DOCTOR_REPOSITORY}/blobs/uploads/${token({ name: DOCTOR_REPOSITORY })}?${DIGEST}`,
    headers: LENGTH,
    setup: { direct: DOCTOR_REPOSITORY },
    to: 'blobs',
  },
  {
    rule: 'direct uploads of the doctor’s repository alone: another’s meanwhile',
    method: 'PUT',
    path: `${uploads}/${token()}?${DIGEST}`,
    headers: LENGTH,
    setup: { direct: DOCTOR_REPOSITORY },
    to: 'ingest',
  },
  {
    rule: 'direct uploads of the doctor’s repository alone: one whose name begins so',
    method: 'PUT',
    path: `/v2/${DOCTOR_REPOSITORY}/a/blobs/uploads/${token({ name: `${DOCTOR_REPOSITORY}/a` })}?${DIGEST}`,
    headers: LENGTH,
    setup: { direct: DOCTOR_REPOSITORY },
    to: 'ingest',
  },
  {
    rule: 'direct uploads of the doctor’s repository alone: another’s session under its name',
    method: 'PUT',
    path: `/v2/${DOCTOR_REPOSITORY}/blobs/uploads/${token()}?${DIGEST}`,
    headers: LENGTH,
    setup: { direct: DOCTOR_REPOSITORY },
    to: 404,
  },
  {
    rule: 'direct uploads off, of a repository called off',
    method: 'PUT',
    path: `/v2/off/blobs/uploads/${token({ name: 'off' })}?${DIGEST}`,
    headers: LENGTH,
    setup: { direct: 'off' },
    to: 'ingest',
  },
  {
    rule: 'no ingest, and direct uploads of the doctor’s repository alone: another’s meanwhile',
    method: 'PUT',
    path: `${uploads}/${token()}?${DIGEST}`,
    headers: LENGTH,
    setup: { ingest: false, direct: DOCTOR_REPOSITORY },
    to: 405,
  },
  {
    rule: 'no ingest: a stream',
    method: 'PATCH',
    path: `${uploads}/${token()}`,
    headers: LENGTH,
    setup: { ingest: false },
    to: 405,
  },
  {
    rule: 'no ingest: a whole blob',
    method: 'PUT',
    path: `${uploads}/${token()}?${DIGEST}`,
    headers: LENGTH,
    setup: { ingest: false },
    to: 'blobs',
  },
  {
    rule: 'no ingest and no direct uploads',
    method: 'PUT',
    path: `${uploads}/${token()}?${DIGEST}`,
    headers: LENGTH,
    setup: { ingest: false, direct: 'off' },
    to: 405,
  },
  // Blobs that a cache has to fetch first.
  {
    rule: 'a pull of a blob',
    method: 'GET',
    path: `/v2/${NAME}/blobs/sha256:${HEX}`,
    headers: { authorization: jwt(access('pull')) },
    to: 'api',
  },
  {
    rule: 'the same sent here again by the API, which cannot send what it has to fetch',
    method: 'GET',
    path: `/v2/${NAME}/blobs/sha256:${HEX}?via=ingest`,
    headers: { authorization: jwt(access('pull')) },
    to: 'ingest',
  },
  {
    rule: 'the same without a token',
    method: 'GET',
    path: `/v2/${NAME}/blobs/sha256:${HEX}?via=ingest`,
    to: 401,
  },
  {
    rule: 'the same without ingest',
    method: 'GET',
    path: `/v2/${NAME}/blobs/sha256:${HEX}?via=ingest`,
    headers: { authorization: jwt(access('pull')) },
    setup: { ingest: false },
    to: 'api',
  },
  {
    rule: 'a manifest, whatever is in its query',
    method: 'GET',
    path: `/v2/${NAME}/manifests/v1?via=ingest`,
    headers: { authorization: jwt(access('pull')) },
    to: 'api',
  },
  // Session tokens.
  {
    rule: 'a token of the older key',
    method: 'PUT',
    path: `${uploads}/${token({ keyId: '0123' })}?${DIGEST}`,
    headers: LENGTH,
    to: 'blobs',
  },
  {
    rule: 'a forged token',
    method: 'PUT',
    path: `${uploads}/${token().slice(0, -4)}AAAA?${DIGEST}`,
    headers: LENGTH,
    to: 404,
  },
  {
    rule: 'a token of an unknown key',
    method: 'PUT',
    path: `${uploads}/${token().replace('abcd.', 'ffff.')}?${DIGEST}`,
    headers: LENGTH,
    to: 404,
  },
  {
    rule: 'a token whose key is named like the flag',
    method: 'PUT',
    path: `${uploads}/${token().replace('abcd.', 'direct.')}?${DIGEST}`,
    headers: LENGTH,
    to: 404,
  },
  {
    rule: 'a token of another repository',
    method: 'PUT',
    path: `${uploads}/${token({ name: 'library/other' })}?${DIGEST}`,
    headers: LENGTH,
    to: 404,
  },
  {
    rule: 'a token for another repository id',
    method: 'PUT',
    path: `${uploads}/${token().replace('.repo1.', '.repo2.')}?${DIGEST}`,
    headers: LENGTH,
    to: 404,
  },
  {
    rule: 'an expired token',
    method: 'PUT',
    path: `${uploads}/${token({ expiresAtEpochSeconds: NOW_S - 1 })}?${DIGEST}`,
    headers: LENGTH,
    to: 404,
  },
  {
    rule: 'more than the session allows',
    method: 'PUT',
    path: `${uploads}/${token({ limitBytes: 999 })}?${DIGEST}`,
    headers: LENGTH,
    to: 413,
  },
  {
    rule: 'an upload needs no Bearer: it may have expired',
    method: 'PUT',
    path: `${uploads}/${token()}?${DIGEST}`,
    headers: { ...LENGTH, authorization: 'Bearer x.y.z' },
    to: 'blobs',
  },
  // Logins.
  { rule: 'no login', method: 'GET', path: '/v2/', to: 401 },
  {
    rule: 'a Bearer at the base',
    method: 'GET',
    path: '/v2/',
    headers: { authorization: jwt({}) },
    to: 'api',
  },
  {
    rule: 'Basic is for the API to judge',
    method: 'GET',
    path: '/v2/',
    headers: { authorization: 'Basic YTpi' },
    to: 'api',
  },
  {
    rule: 'a scheme nobody knows',
    method: 'GET',
    path: '/v2/',
    headers: { authorization: 'Negotiate abc' },
    to: 'api',
  },
  {
    rule: 'an expired Bearer',
    method: 'GET',
    path: `/v2/${NAME}/manifests/a`,
    headers: { authorization: jwt({ exp: NOW_S - 1, ...access('pull') }) },
    to: 401,
  },
  {
    rule: 'a Bearer that is none',
    method: 'GET',
    path: `/v2/${NAME}/manifests/a`,
    headers: { authorization: 'Bearer nonsense' },
    to: 401,
  },
  {
    rule: 'a Bearer for the pull',
    method: 'GET',
    path: `/v2/${NAME}/manifests/a`,
    headers: { authorization: jwt(access('pull')) },
    to: 'api',
  },
  {
    rule: 'a Bearer for something else',
    method: 'GET',
    path: '/v2/library/other/manifests/a',
    headers: { authorization: jwt(access('pull')) },
    to: 401,
  },
  {
    rule: 'a Bearer for the pull, and a push',
    method: 'POST',
    path: `${uploads}/`,
    headers: { authorization: jwt(access('pull')) },
    to: 401,
  },
  {
    rule: 'a Bearer for the push',
    method: 'POST',
    path: `${uploads}/`,
    headers: { authorization: jwt(access('pull', 'push')) },
    to: 'api',
  },
  {
    rule: 'asked for and refused: the API says why',
    method: 'POST',
    path: `${uploads}/`,
    headers: { authorization: jwt(access()) },
    to: 'api',
  },
  {
    rule: 'a right to everything',
    method: 'DELETE',
    path: `/v2/${NAME}/manifests/a`,
    headers: { authorization: jwt(access('*')) },
    to: 'api',
  },
  {
    rule: 'the catalog',
    method: 'GET',
    path: '/v2/_catalog',
    headers: { authorization: jwt(access('pull')) },
    to: 401,
  },
  // Everything else.
  { rule: 'a path the specification does not know', method: 'GET', path: '/v2/Upper/manifests/a', to: 'api' },
  { rule: 'tokens', method: 'GET', path: '/service/token?service=entrepot', to: 'api' },
  { rule: 'the management API', method: 'GET', path: '/api/v2.0/projects', to: 'api' },
]

async function went(row: Row): Promise<{ to: string | number; answer?: EdgeResponse }> {
  const { result, origin } = await edge(row.setup).request.run(
    event(request(row.method, row.path, row.headers)),
  )
  if ('statusCode' in result) return { to: result.statusCode, answer: result }
  return { to: origin ?? 'api' }
}

test.each(ROWS)('$rule: $to', async (row) => {
  expect(await went(row)).toMatchObject({ to: row.to })
})

test('every refusal is the specification’s JSON and is not kept', async () => {
  for (const row of ROWS.filter(({ to }) => typeof to === 'number')) {
    const { answer } = await went(row)
    const { errors } = JSON.parse(answer!.body)
    expect(errors[0].code, row.rule).toMatch(/^[A-Z_]+$/)
    expect(errors[0].message, row.rule).not.toBe('')
    expect(answer!.headers['cache-control']!.value).toBe('no-store')
    expect(answer!.headers['content-type']!.value).toBe('application/json')
    if (answer!.statusCode === 401) expect(answer!.headers['www-authenticate']).toBeDefined()
  }
})

test('a challenge names this host, the scope, and what was wrong with the token', async () => {
  const challenge = async (method: string, path: string, authorization?: string) => {
    const row = { rule: '', method, path, to: 401 as const, headers: authorization ? { authorization } : {} }
    return (await went(row)).answer?.headers['www-authenticate']?.value ?? OPEN
  }
  const realm = `Bearer realm="https://${HOST}/service/token",service="entrepot"`
  expect(await challenge('GET', '/v2/')).toBe(realm)
  expect(await challenge('HEAD', `/v2/${NAME}/manifests/a`)).toBe(`${realm},scope="repository:${NAME}:pull"`)
  expect(await challenge('POST', `${uploads}/?mount=sha256:${HEX}&from=library/base`)).toBe(
    `${realm},scope="repository:${NAME}:pull,push repository:library/base:pull"`,
  )
  expect(await challenge('PUT', `/v2/${NAME}/manifests/a`, jwt(access('pull')))).toBe(
    `${realm},scope="repository:${NAME}:pull,push",error="insufficient_scope"`,
  )
  expect(await challenge('GET', `/v2/${NAME}/tags/list`, 'Bearer a.b.c')).toBe(
    `${realm},scope="repository:${NAME}:pull",error="invalid_token"`,
  )
  expect(await challenge('DELETE', `/v2/${NAME}/blobs/sha256:${HEX}`)).toBe(
    `${realm},scope="repository:${NAME}:delete"`,
  )
})

test('what goes to S3 is rebuilt: the digest as payload hash, the key of this session, nothing of the client', async () => {
  const made = request('PUT', `${uploads}/${token()}?${DIGEST}&versionId=1`, {
    ...LENGTH,
    'content-type': 'text/html',
    'x-amz-copy-source': '/other/secret',
    'x-amz-acl': 'public-read',
    'x-amz-meta-a': 'b',
    'content-encoding': 'identity',
    authorization: 'Bearer x',
    cookie: 'a=b',
    'x-entrepot-name': 'evil/name',
    'if-none-match': '*',
  })
  const { result } = await edge().request.run(event({ ...made, cookies: { a: { value: 'b' } } }))
  expect(result).toEqual({
    method: 'PUT',
    uri: `/b/repo1/sha256/${HEX}/session0`,
    querystring: {},
    cookies: {},
    headers: {
      host: { value: HOST },
      'content-length': { value: '1000' },
      'content-type': { value: 'application/octet-stream' },
      'x-amz-content-sha256': { value: HEX },
      'x-entrepot-name': { value: NAME },
    },
  })
})

test('what goes to the API carries the viewer’s host and address, whatever the client said of them', async () => {
  const made = request('GET', '/service/token', {
    'x-entrepot-host': 'evil.example',
    'x-entrepot-viewer': '1.1.1.1',
  })
  const { result } = await edge().request.run(event(made))
  expect(result).toMatchObject({
    headers: {
      'x-entrepot-host': { value: HOST },
      'x-entrepot-viewer': { value: '192.0.2.7' },
      'x-entrepot-request': { value: 'req-1' },
    },
  })
})
