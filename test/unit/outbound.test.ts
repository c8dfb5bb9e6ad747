// Requests to addresses that people name: where they may not go, and how long they wait.
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { createAddressGuard } from '../../lib/outbound/address-guard.ts'
import { HttpClient, readBounded } from '../../lib/outbound/http-client.ts'

const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

async function listening(handle: RequestListener): Promise<string> {
  const server = createServer(handle)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const clientOn = (allowed: string[], more = {}) =>
  new HttpClient({ guard: createAddressGuard(allowed), ...more })
const get = (client: HttpClient, url: string, headers = {}) =>
  client.request({ method: 'GET', url: new URL(url), headers })

test.each([
  '127.0.0.1',
  '10.1.2.3',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '169.254.169.254',
  '100.64.0.1',
  '0.0.0.0',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:10.0.0.1',
  '::ffff:a9fe:a9fe',
  '64:ff9b::a00:1',
  '2002:7f00:1::',
  '2001:db8::1',
  'fd00:ec2::254',
  'fc00::1',
  'fe80::1',
  'ff02::1',
])('%s is refused unless the administrator allows it', (address) => {
  const { check } = createAddressGuard([])
  expect(() => check(address)).toThrow(/private address.*upstreamPrivateNetworks/)
})

test.each(['1.1.1.1', '8.8.8.8', '172.32.0.1', '2606:4700::1111', '2a00:1450:4001::1'])(
  '%s is public',
  (address) => {
    expect(createAddressGuard([]).check(address)).toBeUndefined()
  },
)

test('a range that is allowed opens itself and nothing beside it; all opens everything but metadata', () => {
  const one = createAddressGuard(['10.1.0.0/16', 'fd12::/32'])
  one.check('10.1.255.255')
  one.check('fd12::9')
  one.check('::ffff:10.1.0.1')
  expect(() => one.check('10.2.0.1')).toThrow(/private/)
  const all = createAddressGuard(['all'])
  for (const address of ['127.0.0.1', '192.168.0.1', '::1', 'fc00::1']) all.check(address)
  for (const address of ['169.254.169.254', 'fd00:ec2::254', '::ffff:169.254.169.254'])
    expect(() => all.check(address)).toThrow(/private/)
  createAddressGuard(['all', '169.254.169.254']).check('169.254.169.254')
  for (const wrong of ['10.0.0.0/33', 'localhost', '10.0.0/8', '1.2.3.4/5/6', '::/129', '1.2.3.4/x'])
    expect(() => createAddressGuard([wrong])).toThrow(/no range of addresses/)
})

test.each(['http://127.0.0.1:%', 'http://localhost:%', 'http://[::ffff:127.0.0.1]:%', 'http://2130706433:%'])(
  'no spelling of this machine gets through: %s',
  async (spelling) => {
    let asked = 0
    const url = await listening((_, response) => {
      asked += 1
      response.end()
    })
    const target = spelling.replace('%', new URL(url).port)
    await expect(get(clientOn([]), target)).rejects.toMatchObject({ failure: 'forbidden' })
    expect(asked).toBe(0)
  },
)

test('a name is judged by the address that is connected to, so it cannot point elsewhere in between', async () => {
  const url = await listening((_, response) => response.end('inside'))
  const guard = createAddressGuard([])
  // What a rebinding name server does: public when it is looked at, private when it is connected to.
  const name = `http://localhost:${new URL(url).port}/`
  await expect(get(new HttpClient({ guard }), name)).rejects.toThrow(
    /localhost \((127\.0\.0\.1|::1)\) is a private address/,
  )
  const answer = await get(clientOn(['127.0.0.0/8']), name)
  expect((await readBounded(answer, 100)).toString()).toBe('inside')
})

test('a redirect is checked as the first request was, and takes no login along to another host', async () => {
  const seen: (string | undefined)[] = []
  const other = await listening((request, response) => {
    seen.push(request.headers.authorization)
    response.end('there')
  })
  const places: Record<string, string> = {
    '/other': `${other}/x`,
    '/metadata': 'http://169.254.169.254/latest/meta-data/',
    '/file': 'file:///etc/passwd',
    '/loop': '/loop',
    '/own': '/here',
  }
  const url = await listening((request, response) => {
    if (request.url === '/here') response.end(request.headers.authorization)
    else response.writeHead(302, { location: places[request.url!]! }).end()
  })
  const client = clientOn(['127.0.0.0/8'])
  const from = (path: string) => get(client, url + path, { authorization: 'Basic c2VjcmV0' })
  expect((await readBounded(await from('/other'), 100)).toString()).toBe('there')
  expect(seen).toEqual([undefined])
  expect((await readBounded(await from('/own'), 100)).toString()).toBe('Basic c2VjcmV0')
  for (const path of ['/metadata', '/file'])
    await expect(from(path)).rejects.toMatchObject({ failure: 'forbidden' })
  await expect(from('/loop')).rejects.toThrow(/redirects more than 5 times/)
})

test('silence ends a request, before the answer and in the middle of it', async () => {
  const url = await listening((request, response) => {
    if (request.url === '/begun') response.write('begun')
  })
  const client = clientOn(['all'], { answerMs: 50, idleMs: 50 })
  await expect(get(client, url)).rejects.toMatchObject({ failure: 'silent' })
  const answer = await get(client, `${url}/begun`)
  await expect(readBounded(answer, 100)).rejects.toMatchObject({ failure: 'silent' })
})

test('an endless body is read no further than it may be; a broken one is no whole one', async () => {
  const url = await listening((request, response) => {
    if (request.url === '/cut') {
      response.writeHead(200, { 'content-length': 10 })
      response.write('12345', () => response.destroy())
      return
    }
    const more = () => response.write(Buffer.alloc(65_536), (error) => error || setImmediate(more))
    more()
  })
  const client = clientOn(['all'])
  await expect(get(client, url).then((answer) => readBounded(answer, 100_000))).rejects.toThrow(
    /more than 100000 bytes/,
  )
  await expect(get(client, `${url}/cut`).then((answer) => readBounded(answer, 100))).rejects.toMatchObject({
    failure: 'broken',
  })
})

test('why there is no connection is said in words', async () => {
  const client = clientOn(['all'])
  await expect(get(client, 'http://127.0.0.1:1/')).rejects.toMatchObject({
    failure: 'unreachable',
    message: 'no connection to 127.0.0.1:1: ECONNREFUSED',
  })
  await expect(get(client, 'http://no-such-host.invalid/')).rejects.toMatchObject({
    failure: 'unreachable',
    message: 'the name no-such-host.invalid cannot be resolved',
  })
  const plain = await listening((_, response) => response.end())
  await expect(get(client, plain.replace('http:', 'https:'))).rejects.toMatchObject({
    failure: expect.stringMatching(/tls|broken/),
  })
})
