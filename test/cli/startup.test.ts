// Why the program cannot start: one line saying what and what to do, and an exit code.
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startServer } from '../support/server.ts'
import { start } from './command.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'entrepot-start-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

const data = (name: string) => ['--port', '0', '--data', path.join(directory, name)]

test('a port in use is named, with what to do, and ends with code 3', async () => {
  const holder = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => holder.once('listening', resolve))
  const { port } = holder.address() as { port: number }
  const ended = await start(['--port', String(port), '--data', path.join(directory, 'port')])
  holder.close()
  expect(ended.code).toBe(3)
  expect(ended.stderr.trim().split('\n')).toHaveLength(1)
  expect(ended.stderr).toContain(`port ${port} on 127.0.0.1 is in use`)
})

test('a second start on the same data is refused with code 5, and the first goes on', async () => {
  const server = await startServer()
  const ended = await start(['--port', '0', '--data', server.dataDir])
  expect(ended.code).toBe(5)
  expect(ended.stderr).toContain('is in use by another Entrepôt')
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
  await server.stop()
})

test('a damaged database is named with code 4', async () => {
  const server = await startServer({ dataDir: path.join(directory, 'damaged') })
  await server.stop()
  await writeFile(
    path.join(directory, 'damaged', 'entrepot.db'),
    'this is no database, however long it may be '.repeat(100),
  )
  const ended = await start(data('damaged'))
  expect(ended.code).toBe(4)
  expect(ended.stderr).toContain('entrepot.db is damaged')
  expect(ended.stderr.trim().split('\n')).toHaveLength(1)
})

test('a data directory that is a file is named with code 4', async () => {
  await writeFile(path.join(directory, 'file'), '')
  const ended = await start(data('file'))
  expect(ended.code).toBe(4)
  expect(ended.stderr).toContain('is not a directory')
})

test('secrets that others may read are refused with code 4', async () => {
  const server = await startServer({ dataDir: path.join(directory, 'secrets') })
  await server.stop()
  await chmod(path.join(directory, 'secrets', 'secrets.json'), 0o644)
  const ended = await start(data('secrets'))
  expect(ended.code).toBe(4)
  expect(ended.stderr).toContain('chmod 600')
})

for (const [what, args, text] of [
  ['an unknown flag', ['--prot', '5050'], 'known flags: --port'],
  ['a port that is no number', ['--port', 'many'], 'port is "many"'],
  ['a port out of range', ['--port', '99999'], 'port is "99999"'],
  ['an authority without a certificate of ours', ['--tls-ca', 'x.pem'], 'tlsCa needs tlsCert and tlsKey'],
  ['a certificate without its key', ['--tls-cert', 'x.pem'], 'tlsCert and tlsKey belong together'],
  ['--open on a public address', ['--open', '--host', '0.0.0.0'], 'open is for loopback only'],
  [
    'a configuration file that is not there',
    ['--config', '/none.yaml'],
    'cannot read the configuration file',
  ],
] as const)
  test(`${what} is refused with code 2, naming what is allowed`, async () => {
    const ended = await start([...args])
    expect(ended.code).toBe(2)
    expect(ended.stderr).toContain(text)
  })

test('a configuration file with a wrong value or an unknown key is refused, naming the key', async () => {
  const file = path.join(directory, 'config.yaml')
  await writeFile(file, 'logLevel: loud\n')
  expect((await start(['--config', file])).stderr).toMatch(/logLevel is "loud".*debug.*silent/)
  await writeFile(file, 'undoDays: 3\n')
  expect((await start(['--config', file])).stderr).toMatch(
    /unknown key "undoDays"; known keys: .*undoWindowDays/,
  )
})

test('flags win over the environment, which wins over the file', async () => {
  const file = path.join(directory, 'order.yaml')
  await writeFile(file, `data: ${path.join(directory, 'order')}\nlogLevel: loud\nport: 1\n`)
  const server = await startServer({
    args: ['--config', file],
    env: { ENTREPOT_LOG_LEVEL: 'warn', ENTREPOT_PORT: '2' },
  })
  expect(server.port).toBeGreaterThan(2)
  await server.stop()
})

test('a connection is kept as long as is configured, 75 seconds when nothing is', async () => {
  for (const [args, seconds] of [
    [[], 75],
    [['--keep-alive-seconds', '420'], 420],
  ] as const) {
    const server = await startServer({ args: [...args] })
    const { headers } = await fetch(`${server.url}/healthz`)
    expect(headers.get('keep-alive')).toBe(`timeout=${seconds}`)
    await server.stop()
  }
})

test('a connection whose time is over is closed, with and without a body in its last request', async () => {
  const server = await startServer({ args: ['--keep-alive-seconds', '1'] })
  for (const request of ['GET /v2/ HTTP/1.1\r\n', 'POST /v2/ HTTP/1.1\r\nContent-Length: 2\r\n']) {
    const socket = connect(server.port, '127.0.0.1')
    socket.write(`${request}Host: ${server.host}\r\n\r\n${request.startsWith('POST') ? 'ab' : ''}`)
    socket.resume()
    await new Promise((resolve) => socket.once('close', resolve))
  }
  await server.stop()
})

test('the first start prints the address, the password once, and what to try', async () => {
  const env = { ENTREPOT_ADMIN_PASSWORD: undefined as unknown as string }
  const first = await startServer({ dataDir: path.join(directory, 'first'), open: false, env })
  const output = () => first.output()
  await expect.poll(output).toContain('docker pull')
  const password = /shown only now: (\S+)/.exec(output())?.[1]
  const login = { authorization: `Basic ${Buffer.from(`admin:${password}`).toString('base64')}` }
  expect((await fetch(`${first.url}/v2/`, { headers: login })).status).toBe(200)
  expect(await first.stop()).toBe(0)
  const second = await startServer({ dataDir: path.join(directory, 'first'), open: false, env })
  expect(second.output()).not.toContain('shown only now')
  expect((await fetch(`${second.url}/v2/`, { headers: login })).status).toBe(200)
  await second.stop()
})

test('SIGTERM lets a request under way end before the process does', async () => {
  const server = await startServer()
  let sendRest = () => {}
  const body = new ReadableStream({
    async start(controller) {
      controller.enqueue(Buffer.from('first '))
      await new Promise<void>((resolve) => {
        sendRest = resolve
      })
      controller.enqueue(Buffer.from('second'))
      controller.close()
    },
  })
  const location = (await fetch(`${server.url}/v2/lab/x/blobs/uploads/`, { method: 'POST' })).headers.get(
    'location',
  )
  const patching = fetch(`${server.url}${location}`, { method: 'PATCH', body, duplex: 'half' } as RequestInit)
  const metric = async () =>
    /entrepot_http_requests_in_flight (\d+)/.exec(await (await fetch(`${server.url}/metrics`)).text())?.[1]
  while (Number(await metric()) < 2);
  const stopped = server.stop()
  sendRest()
  expect((await patching).status).toBe(202)
  expect(await stopped).toBe(0)
})
