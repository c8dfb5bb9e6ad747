// `entrepot user`, `member` and `robot`, on a running registry and the files they write.
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { callControl } from '../../lib/server/control.ts'
import { clientOf, pushImage } from '../api/client.ts'
import { basic } from '../api/management.ts'
import { type Server, startServer } from '../support/server.ts'
import { bash, entrepot } from './command.ts'

let directory: string
let data: string
let server: Server
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'entrepot-people-'))
  data = path.join(directory, 'data')
  server = await startServer({ dataDir: data, open: false })
  await run('project', 'create', 'team')
})
afterAll(async () => {
  await server.stop()
  await rm(directory, { recursive: true, force: true })
})

/** Through the socket that the program itself talks to: a process for each would take minutes. */
async function run(...words: string[]): Promise<{ code: number; stdout: string }> {
  const lines: string[] = []
  const call = { operation: words.slice(0, 2).join(' '), args: words.slice(2), principal: 'test' }
  const code = await callControl(data, call, (line) => lines.push(line))
  return { code: code!, stdout: lines.map((line) => `${line}\n`).join('') }
}
const said = async (...words: string[]) => (await run(...words)).stdout
const program = (...args: string[]) => entrepot([...args, '--data', data])
const shown = (text: string) => /shown only now: (\S+)/.exec(text)![1]!
const mayLogIn = async (name: string, password: string) =>
  (await clientOf(server.url, basic(name, password))('GET', '/v2/')).status === 200

test('a user is made, disabled, enabled, given a password, and deleted', async () => {
  const made = await said('user', 'create', 'ada', '--email', 'ada@example.com', '--real-name', 'Ada L')
  expect(made).toContain('created user ada')
  const password = shown(made)
  expect(await mayLogIn('ada', password)).toBe(true)
  expect(await said('user', 'list')).toContain('ada\tada@example.com\tuser\tenabled\tdb')
  await run('user', 'disable', 'ada')
  expect(await mayLogIn('ada', password)).toBe(false)
  expect(await said('user', 'list')).toContain('\tdisabled\t')
  await run('user', 'enable', 'ada')
  expect(await mayLogIn('ada', password)).toBe(true)
  const next = shown(await said('user', 'password', 'ada'))
  expect([await mayLogIn('ada', password), await mayLogIn('ada', next)]).toEqual([false, true])
  expect(await said('user', 'delete', 'ada')).toContain('deleted user ada')
  expect(await mayLogIn('ada', next)).toBe(false)
  expect((await run('user', 'delete', 'admin')).stdout).toContain('admin cannot be deleted')
  expect((await run('user', 'disable', 'admin')).code).toBe(1)
  expect((await run('user', 'create')).code).toBe(2)
  expect((await run('user', 'create', 'x', '--nonsense')).code).toBe(2)
})

test('a password comes from standard input, and is not shown', async () => {
  const script = `printf 'From-Stdin-1\\n' | node bin/entrepot.ts user create eve --password-stdin --data '${data}'`
  const { code, stdout } = await bash(script)
  expect([code, stdout]).toEqual([0, 'created user eve\n'])
  expect(await mayLogIn('eve', 'From-Stdin-1')).toBe(true)
})

test('members get a role, another one, and none', async () => {
  await run('user', 'create', 'max')
  expect(await said('member', 'add', 'team', 'max', '--role', 'guest')).toContain(
    'max has the role guest in team',
  )
  await run('member', 'add', 'team', 'max', '--role', 'developer')
  await run('member', 'add', 'team', 'devs', '--role', 'maintainer', '--group')
  expect(await said('member', 'list', 'team')).toBe('devs\tgroup\tmaintainer\nmax\tuser\tdeveloper\n')
  await run('member', 'remove', 'team', 'max')
  await run('member', 'remove', 'team', 'devs', '--group')
  expect(await said('member', 'list', 'team')).toBe('')
  expect((await run('member', 'add', 'team', 'max', '--role', 'king')).code).toBe(2)
  expect((await run('member', 'add', 'team', 'nobody', '--role', 'guest')).code).toBe(1)
  expect((await run('member', 'remove', 'team', 'max')).code).toBe(1)
})

test('a robot is made, shown with the rights it used and never used, renewed, disabled and deleted', async () => {
  const made = await said('robot', 'create', 'ci', '--project', 'team', '--push', '--delete', '--days', '7')
  expect(made).toContain('created robot robot$team+ci; expires 20')
  expect(made).toContain("between single quotes: 'robot$team+ci', or as it is: robot-team+ci")
  const secret = shown(made)
  await pushImage(clientOf(server.url, basic('robot-team+ci', secret)), 'team/app', 'v1')
  await expect.poll(() => said('robot', 'show', 'team+ci')).toMatch(/repository:push\tteam\tlast used 20/)
  const show = await said('robot', 'show', 'robot$team+ci')
  expect(show).toMatch(/last used\t20\d\d-\d\d-\d\d/)
  expect(show).toContain('tag:delete\tteam\tnever used')
  expect(await said('robot', 'list')).toMatch(/robot\$team\+ci\tproject\tenabled\t20/)
  const next = shown(await said('robot', 'refresh', 'robot-team+ci'))
  const works = (each: string) => mayLogIn('robot$team+ci', each)
  expect([await works(secret), await works(next)]).toEqual([false, true])
  await run('robot', 'disable', 'team+ci')
  expect(await works(next)).toBe(false)
  await run('robot', 'enable', 'team+ci')
  expect(await works(next)).toBe(true)
  await run('robot', 'delete', 'team+ci')
  expect(await works(next)).toBe(false)
  expect((await run('robot', 'show', 'team+ci')).stdout).toContain('there is no robot team+ci')
})

test.each([
  [['robot', 'create', 'x', '--push'], 'say where'],
  [['robot', 'create', 'x', '--project', 'team'], 'say what it may'],
  [['robot', 'create', 'x', '--project', 'team', '--push', '--days', 'soon'], '--days is'],
  [['robot', 'create', 'x', '--project', 'team', '--may', 'push'], 'RESOURCE:ACTION'],
  [['robot', 'create', 'x', '--project', 'team', '--push', '--for', 'jenkins'], '--for is one of'],
  [['robot', 'create', 'x', '--project', 'team', '--push', '--for', 'docker'], '--registry HOST'],
])('entrepot %j says what is missing', async (args, why) => {
  const { code, stdout } = await run(...args)
  expect([code, stdout]).toEqual([2, expect.stringContaining(why)])
})

async function fileFor(kind: string): Promise<string> {
  const file = path.join(directory, `robot.${kind}`)
  const args = ['--project', 'team', '--push', '--for', kind, '--registry', server.host, '--to', file]
  expect((await program('robot', 'create', `for-${kind}`, ...args)).stdout).toBe(`wrote ${file}\n`)
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  return file
}

test('the file for docker is a config.json that logs in', async () => {
  const config = JSON.parse(await readFile(await fileFor('docker'), 'utf8'))
  const [name, secret] = Buffer.from(config.auths[server.host].auth, 'base64').toString().split(':')
  expect(name).toBe('robot-team+for-docker')
  expect(await mayLogIn(name!, secret!)).toBe(true)
})

test('the file for kubernetes is a pull secret with the same config', async () => {
  const secret = parse(await readFile(await fileFor('kubernetes'), 'utf8'))
  expect(secret).toMatchObject({
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/dockerconfigjson',
    metadata: { name: 'pull-robot-team-for-kubernetes' },
  })
  const config = JSON.parse(Buffer.from(secret.data['.dockerconfigjson'], 'base64').toString())
  expect(Object.keys(config.auths)).toEqual([server.host])
})

test('the file for GitLab is a pipeline with the lines of the guide, and names the two variables', async () => {
  const text = await readFile(await fileFor('gitlab'), 'utf8')
  const guide = await readFile('docs/robots.md', 'utf8')
  const { variables, build } = parse(text)
  expect(variables).toEqual({ HARBOR_URL: server.host, HARBOR_PROJECT: 'team' })
  for (const line of build.script) expect(guide).toContain(line)
  const [, name] = /HARBOR_ROBOT_USER +(\S+)/.exec(text)!
  const [, secret] = /HARBOR_ROBOT_TOKEN +(\S+)/.exec(text)!
  expect(await mayLogIn(name!, secret!)).toBe(true)
})

test('the file for GitHub is a step whose command a shell understands', async () => {
  const [step] = parse(await readFile(await fileFor('github'), 'utf8'))
  expect(Object.keys(step.env)).toEqual(['HARBOR_ROBOT_USER', 'HARBOR_ROBOT_TOKEN'])
  const script = `docker() { printf '%s ' "$@"; cat; }; ${step.run}`
  const { stdout } = await bash(script, { HARBOR_ROBOT_USER: 'robot$team+ci', HARBOR_ROBOT_TOKEN: 's3cr$t' })
  expect(stdout).toBe(`login -u robot$team+ci --password-stdin ${server.host} s3cr$t`)
})

test('a file that is there already is not overwritten, and no robot is made', async () => {
  const file = path.join(directory, 'robot.docker')
  const args = ['--project', 'team', '--push', '--for', 'docker', '--registry', server.host, '--to', file]
  const { code, stderr } = await program('robot', 'create', 'again', ...args)
  expect([code, stderr]).toEqual([2, expect.stringContaining('is there already')])
  expect(await said('robot', 'list')).not.toContain('+again')
})

test('the external address is the host of the files, where it is configured', async () => {
  const { stdout } = await entrepot(
    ['robot', 'create', 'ext', '--project', 'team', '--pull', '--for', 'docker', '--data', data],
    { ENTREPOT_EXTERNAL_URL: 'https://registry.example.com' },
  )
  expect(Object.keys(JSON.parse(stdout).auths)).toEqual(['registry.example.com'])
})

test('it is explained who may do what, and why a request was refused', async () => {
  const explain = async (...args: string[]) => {
    const lines: string[] = []
    const call = { operation: 'explain', args, principal: 'test' }
    const code = await callControl(data, call, (line) => lines.push(line))
    return { code, text: lines.join('\n') }
  }
  expect(await explain('admin', 'push', 'team/app')).toMatchObject({ code: 0 })
  const refused = await explain('anonymous', 'push', 'team/app')
  expect(refused).toMatchObject({
    code: 1,
    text: expect.stringContaining('anonymous may not push on team/app'),
  })
  const made = await said('user', 'create', 'eva', '--email', 'eva@example.com')
  const http = clientOf(server.url, basic('eva', shown(made)))
  const answer = await http('POST', '/v2/team/app/blobs/uploads/')
  expect(answer.status).toBe(403)
  const id = String(answer.headers['x-request-id'])
  expect(answer.message).toContain(id)
  await expect.poll(async () => (await explain(id)).text, { timeout: 10_000 }).toContain('by      eva')
  expect((await explain(id)).text).toContain('needs developer')
})
