// What is no Harbor, lies, never ends or refuses: an import says what is wrong and brings nothing of it.
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { harborOf, makeUser, PASSWORD } from '../api/management.ts'
import type { Ended } from '../cli/command.ts'
import { openPlace, type Place } from './place.ts'

let here: Place
let fake: Server | undefined
beforeAll(async () => {
  here = await openPlace()
})
afterAll(() => here.close())
afterEach(async () => {
  fake?.closeAllConnections()
  await new Promise((resolve) => (fake ? fake.close(resolve) : resolve(undefined)))
  fake = undefined
})

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  fake = server
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** A Harbor of which only what a test gives is something else than empty. */
function harbor(rows: (path: string, page: number) => unknown): Promise<string> {
  return serve(({ url }, response) => {
    const target = new URL(url!, 'http://harbor')
    const path = target.pathname.replace('/api/v2.0', '')
    const body =
      rows(path, Number(target.searchParams.get('page') ?? 1)) ??
      (path === '/users/current' ? { username: 'admin', sysadmin_flag: true } : [])
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body))
  })
}

const said = ({ code, stdout }: Ended) => [code, stdout.trim()]

test('pages of HTML are told from a Harbor', async () => {
  const url = await serve((_, response) => {
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>Sign in</title>')
  })
  expect(said(await here.bring(url))).toEqual([
    1,
    expect.stringMatching(
      /answered \/users\/current with text\/html instead of JSON: is this the address of a Harbor\?$/,
    ),
  ])
})

test('a login that is not taken is said with the other side’s words, and never with the password', async () => {
  const url = await serve((_, response) => {
    response
      .writeHead(401)
      .end('{"errors":[{"code":"UNAUTHORIZED","message":"unauthorized: bad \\u001b[31m login"}]}')
  })
  const { code, stdout, stderr } = await here.bring(url)
  expect([code, stdout.trim()]).toEqual([
    1,
    expect.stringMatching(/does not take this login: unauthorized: bad \?\[31m login$/),
  ])
  expect(stdout + stderr).not.toContain('Harbour-test')
})

test('robots are told that a user is needed, and users that an administrator is', async () => {
  const url = await serve((_, response) => {
    response
      .writeHead(412)
      .end('{"errors":[{"code":"PRECONDITION","message":"get current user not available"}]}')
  })
  expect((await here.bring(url)).stdout).toContain('log in as a user who administers it, not as a robot')
  const there = await openPlace()
  try {
    await makeUser(harborOf(there.server.url, 'admin'), 'ada')
    const login = ['--user', 'ada', `--password=${PASSWORD}`]
    const { code, stdout } = await here.run('import', 'harbor', there.server.url, ...login)
    expect([code, stdout]).toEqual([1, expect.stringMatching(/ada does not administer 127/)])
  } finally {
    await there.close()
  }
})

test('a list without an end is left, whether it repeats a page or goes on with others', async () => {
  const page = (number: number) =>
    Array.from({ length: 100 }, (_, at) => ({ username: `user-${number}-${at}` }))
  for (const number of [() => 1, (asked: number) => asked]) {
    const url = await serve(({ url: asked }, response) => {
      const target = new URL(asked!, 'http://harbor')
      const path = target.pathname.replace('/api/v2.0', '')
      const body =
        path === '/users'
          ? page(number(Number(target.searchParams.get('page'))))
          : path === '/users/current'
            ? { sysadmin_flag: true }
            : []
      response.setHeader('x-total-count', 5).end(JSON.stringify(body))
    })
    const { code, stdout } = await here.bring(url)
    expect([code, stdout]).toEqual([
      1,
      expect.stringMatching(/^failed\tusers\tall\t.* gives a list of \/users that has no end$/m),
    ])
    fake!.closeAllConnections()
    await new Promise((resolve) => fake!.close(resolve))
    fake = undefined
  }
})

test('redirects in a circle, bodies without an end and JSON that is no list are refused', async () => {
  const circle = await serve((_, response) =>
    response.writeHead(302, { location: '/api/v2.0/users/current' }).end(),
  )
  expect((await here.bring(circle)).stdout).toMatch(/redirects more than 5 times$/m)
  await new Promise((resolve) => fake!.close(resolve))
  const endless = await serve((_, response) => {
    const chunk = Buffer.alloc(1024 * 1024, ' ')
    const more = () => {
      while (response.write(chunk)) if (response.destroyed) return
    }
    response.on('drain', more)
    more()
  })
  expect((await here.bring(endless)).stdout).toMatch(/answers with more than 16777216 bytes$/m)
  fake!.closeAllConnections()
  await new Promise((resolve) => fake!.close(resolve))
  const object = await harbor((path) => (path === '/projects' ? { total: 3 } : undefined))
  expect((await here.bring(object)).stdout).toMatch(/answered \/projects with no list$/m)
})

test('rows of wrong shapes and names that are none are failures of their own, and the others come', async () => {
  const url = await harbor((path) => {
    if (path === '/projects')
      return [
        null,
        17,
        { name: 'no-number' },
        { project_id: 2, name: '../etc' },
        { project_id: 3, name: 'odd', metadata: { severity: 'awful', public: 7, auto_scan: null } },
        { project_id: 4, name: 'fine', metadata: { public: 'true' } },
      ]
    if (path === '/projects/4/members') return [{ entity_name: 9, entity_type: 'u', role_id: 99 }, {}]
    if (path === '/projects/fine/repositories')
      return [{ name: 'other/repo' }, { name: 'fine/../x' }, { name: 'fine/app' }]
    if (path.endsWith('/artifacts'))
      return [{ digest: 'md5:1' }, { digest: `sha256:${'1'.repeat(64)}`, tags: [{ name: '../v1' }] }]
    return undefined
  })
  const { code, stdout } = await here.bring(url)
  expect(code).toBe(1)
  expect(stdout.match(/^(brought|failed)\t(project|metadata)\t.*/gm)).toEqual([
    expect.stringMatching(/^failed\tmetadata\todd severity\tthe severity is one of/),
    expect.stringMatching(/^failed\tproject\t\.\.\/etc\tinvalid project name/),
    'brought\tproject\tfine',
    'brought\tproject\todd',
  ])
  expect(stdout).toMatch(/^failed\tmember\tfine user \t/m)
  expect(stdout).toMatch(/^untagged\tartifact\tfine\/app@sha256:1{64}\t/m)
  expect(stdout).not.toContain('other/repo')
  expect((await here.admin('GET', '/projects/odd')).json.metadata).toEqual({ public: 'false' })
})

test('a private address is not reached without the administrator’s word', async () => {
  const guarded = await openPlace([])
  try {
    let asked = 0
    const url = await serve((_, response) => {
      asked += 1
      response.end('{}')
    })
    const { code, stdout } = await guarded.bring(url)
    expect([code, stdout, asked]).toEqual([1, expect.stringContaining('upstreamPrivateNetworks'), 0])
  } finally {
    await guarded.close()
  }
})

test('what is missing or wrong in the command is said before anything is asked', async () => {
  const run = (...args: string[]) => here.run('import', 'harbor', ...args)
  const wrong: [string[], string][] = [
    [
      ['https://h.example', '--user', 'admin'],
      'the password comes by --password-stdin or --password-file FILE',
    ],
    [['https://h.example', '--password=x'], 'say who logs in there: --user NAME'],
    [['h.example', '--user', 'a', '--password=x'], 'the URL begins with https:// (or http://)'],
    [['https://h.example/harbor', '--user', 'a', '--password=x'], 'the URL is that of the whole registry'],
    [['https://h.example', '--user', 'a', '--password=x', '--drift', '--dry-run'], 'choose one'],
    [['--user', 'a', '--password=x'], 'expected exactly one argument'],
  ]
  for (const [args, words] of wrong) {
    const { code, stdout } = await run(...args)
    expect([args, code, stdout]).toEqual([args, 2, expect.stringContaining(words)])
  }
  const missing = await run('https://h.example', '--user', 'a', '--password-file', '/nowhere')
  expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining('cannot read /nowhere')])
  const itself = await run(here.server.url, '--user', 'admin', '--password=x')
  expect(itself.stdout).toContain('is this registry itself')
})
