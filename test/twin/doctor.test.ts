// The doctor sees each thing that can be wrong: the twin behind a proxy that breaks one assumption at a time.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CHECKS } from '../../lib/doctor/checks.ts'
import { entrepot } from '../cli/command.ts'
import { sharedTwin } from './shared.ts'
import type { Twin } from './twin.ts'

interface Asked {
  method: string
  path: string
  headers: IncomingMessage['headers']
}

interface Answered {
  status: number
  headers: IncomingMessage['headers']
  body: Buffer
}

type Break = (asked: Asked, answered: Answered) => void

let twin: Twin
let broken: Break = () => {}
let url = ''
const closing: (() => void)[] = []
beforeAll(async () => {
  twin = await sharedTwin()
  const server = createServer(twin.certificates, (incoming, outgoing) => void pass(incoming, outgoing))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close())
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
}, 240_000)
afterAll(() => {
  for (const close of closing) close()
})

async function pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const asked = { method: incoming.method!, path: incoming.url!, headers: { ...incoming.headers } }
  const answered = await new Promise<Answered>((resolve, reject) => {
    const onward = request(
      new URL(twin.url),
      { method: asked.method, path: asked.path, headers: asked.headers },
      async (answer) => {
        const chunks: Buffer[] = []
        for await (const chunk of answer) chunks.push(chunk as Buffer)
        resolve({ status: answer.statusCode!, headers: answer.headers, body: Buffer.concat(chunks) })
      },
    )
    onward.once('error', reject)
    incoming.pipe(onward)
  })
  broken(asked, answered)
  outgoing.writeHead(answered.status, answered.headers)
  outgoing.end(asked.method === 'HEAD' ? undefined : answered.body)
}

const answer = (answered: Answered, status: number, body = '', headers: Answered['headers'] = {}) => {
  Object.assign(answered, { status, body: Buffer.from(body) })
  answered.headers = { 'content-length': String(Buffer.byteLength(body)), ...headers }
}
const isUpload = ({ path }: Asked) => path.includes('/blobs/uploads/')
const isWhole = (asked: Asked) => asked.method === 'PUT' && isUpload(asked) && !asked.path.includes('~p')
const seenAbsent = new Set<string>()

/** How each assumption breaks, by the check that has to see it. */
const BREAKS: Record<string, Break> = {
  challenge: (_, { headers }) => {
    if (headers['www-authenticate']?.startsWith('Bearer'))
      headers['www-authenticate'] = headers['www-authenticate'].replace('127.0.0.1', 'other.example')
  },
  login: ({ path, headers }, answered) => {
    if (path === '/v2/' && headers.authorization) answer(answered, 401)
  },
  'errors-json': (_, answered) => {
    if (answered.status === 404) answer(answered, 404, '<html>not here</html>')
  },
  'absence-not-cached': ({ method, path }, answered) => {
    if (method !== 'GET' || !path.includes('/manifests/t')) return
    if (answered.status === 404) seenAbsent.add(path)
    else if (seenAbsent.has(path)) answer(answered, 404, '{}')
  },
  'head-manifest-length': ({ method, path }, { headers }) => {
    if (method === 'HEAD' && path.includes('/manifests/')) headers['content-length'] = '0'
  },
  'whole-blob': (asked, answered) => {
    if (isWhole(asked) && answered.status === 201) answered.status = 200
  },
  'wrong-digest': (asked, answered) => {
    if (isWhole(asked) && answered.status === 400) answer(answered, 201)
  },
  'direct-whole-blob': (_, { headers }) => {
    delete headers['x-entrepot-path']
  },
  'direct-wrong-digest': (asked, answered) => {
    if (isWhole(asked) && answered.status === 400) answer(answered, 400, '{"errors":[]}')
  },
  stream: ({ method }, answered) => {
    if (method === 'PATCH') answer(answered, 405)
  },
  'head-blob-length': ({ method, path }, answered) => {
    if (method === 'HEAD' && path.includes('/blobs/sha256')) answer(answered, 200)
  },
  range: ({ method, path, headers }, answered) => {
    if (method === 'GET' && path.includes('/blobs/sha256') && headers.range)
      answer(answered, 200, 'all of it')
  },
  'no-smuggling': (asked, answered) => {
    if (isWhole(asked) && asked.headers['x-amz-copy-source']) answer(answered, 400)
  },
}

async function examine(): Promise<{ code: number; failed: string[]; healthy: boolean }> {
  const env = { ENTREPOT_PASSWORD: twin.adminPassword, NODE_EXTRA_CA_CERTS: twin.authority }
  const { code, stdout, stderr } = await entrepot(['doctor', url, '--json'], env)
  if (stdout === '') throw new Error(stderr)
  const { healthy, checks } = JSON.parse(stdout) as {
    healthy: boolean
    checks: { id: string; passed: boolean }[]
  }
  return { code, healthy, failed: checks.filter(({ passed }) => !passed).map(({ id }) => id) }
}

test('nothing broken, nothing found: the doctor ends with 0', async () => {
  broken = () => {}
  expect(await examine()).toEqual({ code: 0, healthy: true, failed: [] })
})

test('every check has an assumption that breaks it', () => {
  expect(Object.keys(BREAKS).sort()).toEqual(CHECKS.map(({ id }) => id).sort())
})

test.each(CHECKS)('the doctor sees it when this does not hold: $rule', async ({ id, optional }) => {
  broken = BREAKS[id]!
  const { code, healthy, failed } = await examine()
  expect(failed).toContain(id)
  const matters = failed.some((each) => !CHECKS.find((check) => check.id === each)?.optional)
  expect([code, healthy]).toEqual(matters ? [1, false] : [0, true])
  if (!optional) expect(code).toBe(1)
})

test('a registry that is not there is one line, and 1', async () => {
  const ended = await entrepot(['doctor', 'http://127.0.0.1:1'])
  expect([ended.code, ended.stdout.split('\n')[0]]).toEqual([
    1,
    expect.stringMatching(/^FAIL {2}reachable: /),
  ])
})
