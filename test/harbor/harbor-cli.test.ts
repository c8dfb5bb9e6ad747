// harbor-cli, in the order somebody meets its commands. It often exits with 0 after an error, so each effect is also
// looked at with plain HTTP. What it shows as a table needs a terminal: here it answers in JSON. Commands that ask back
// (user elevate, password, label update) are not here, and not `project member update`, which puts the user's number
// where the member's belongs.
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { clientOf, pushImage } from '../api/client.ts'
import { asHarbor } from './as-harbor.ts'
import { type HarborCli, harborCli } from './cli.ts'
import { openPlace, type Place } from './place.ts'

const ROBOT = 'harbor-cli-robot'
const PASSWORD = 'Marina-2026'
const byName = { headers: { 'x-is-resource-name': 'true' } }

let at: Place
let cli: HarborCli
beforeAll(async () => {
  at = await openPlace()
  cli = await harborCli(at)
})
afterAll(() => at.close())

const harbor = (...args: string[]) => cli.harbor(...args)
const refused = (...args: string[]) => cli.refused(...args)
const printed = (...args: string[]) => cli.printed(...args)
const text = async (...args: string[]) => JSON.stringify(await printed(...args))

const basic = (user: string, password: string) =>
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

/** Whether a name and a password are taken by the registry. */
async function mayLogIn(user: string, password: string): Promise<boolean> {
  const { status } = await clientOf(at.url, basic(user, password))('GET', '/v2/')
  return status === 200
}

test('login takes the right password only, with a slash at the end of the address too', async () => {
  await harbor('login', `${at.url}/`, '-u', 'admin', '-p', at.password)
  await refused('login', at.url, '-u', 'admin', '-p', 'Wrong-12345')
  await refused('login', at.url, '-u', 'nobody', '-p', at.password)
})

test('a robot logs in', async () => {
  const permissions = [{ kind: 'system', namespace: '/', access: [{ resource: 'project', action: 'list' }] }]
  const json = { name: ROBOT, duration: 1, level: 'system', permissions }
  const { name, secret } = (await at.harbor('POST', '/robots', { json })).json
  await harbor('login', at.url, '-u', name, '-p', secret)
  await refused('login', at.url, '-u', name, '-p', 'Wrong-12345')
  await harbor('login', at.url, '-u', 'admin', '-p', at.password)
})

test('health and info find the registry well', async () => {
  expect(await printed('health')).toMatchObject({ status: 'healthy' })
  expect(await text('info')).toContain('admin')
})

test('a project is created once, and found by list, view, summary, search and its logs', async () => {
  await harbor('project', 'create', 'harbour', '--storage-limit', '-1')
  await harbor('project', 'create', 'open-sea', '--storage-limit', '-1', '--public')
  await refused('project', 'create', 'harbour', '--storage-limit', '-1')
  expect((await at.harbor('GET', '/projects/harbour', byName)).json.metadata.public).toBe('false')
  expect((await at.harbor('GET', '/projects/open-sea', byName)).json.metadata.public).toBe('true')
  const names = async (...flags: string[]) =>
    (await printed('project', 'list', ...flags)).map(({ name }: { name: string }) => name)
  expect(await names()).toEqual(expect.arrayContaining(['library', 'harbour', 'open-sea']))
  expect(await names('--public')).not.toContain('harbour')
  expect(await names('--fuzzy', 'name=arbou')).toEqual(['harbour'])
  expect((await printed('project', 'view', 'harbour')).name).toBe('harbour')
  expect((await printed('project', 'config', 'list', 'harbour')).public).toBe('false')
  await printed('project', 'summary', 'harbour')
  expect(await text('project', 'search', 'harbour')).toContain('harbour')
  expect(await text('project', 'logs', 'harbour')).toMatch(/create/i)
})

test('a project whose name is a number is reached by its name', async () => {
  await harbor('project', 'create', '2024', '--storage-limit', '-1')
  expect((await printed('project', 'view', '2024')).name).toBe('2024')
  await harbor('project', 'delete', '2024')
  expect((await at.harbor('GET', '/projects/2024', byName)).status).toBe(404)
})

test('a user is created, listed and made a member, and removed again', async () => {
  const about = ['--username', 'mia', '--realname', 'Mia', '--email', 'mia@example.com']
  await harbor('user', 'create', ...about, '--password', PASSWORD)
  expect(await mayLogIn('mia', PASSWORD)).toBe(true)
  expect(await text('user', 'list')).toContain('mia@example.com')
  const mia = asHarbor(at.url, { user: 'mia', password: PASSWORD })
  expect((await mia('GET', '/projects/harbour', byName)).status).toBe(403)
  // The numbers it takes start with 0: it sends 2, developer.
  await harbor('project', 'member', 'create', 'harbour', '--username', 'mia', '--roleid', '1')
  expect((await mia('GET', '/projects/harbour', byName)).json.current_user_role_id).toBe(2)
  const members = await printed('project', 'member', 'list', 'harbour')
  expect(members.map((each: { entity_name: string }) => each.entity_name)).toContain('mia')
  await harbor('project', 'member', 'delete', 'harbour', '--username', 'mia')
  expect((await mia('GET', '/projects/harbour', byName)).status).toBe(403)
  await harbor('user', 'delete', 'mia')
  expect(await mayLogIn('mia', PASSWORD)).toBe(false)
})

test('repositories, also those with slashes in their names, and their artifacts', async () => {
  const registry = clientOf(at.url, basic('admin', at.password))
  const { digest } = await pushImage(registry, 'harbour/team/app', '1.0')
  await pushImage(registry, 'harbour/tool', '1.0')
  expect(await text('repo', 'list', 'harbour')).toContain('harbour/team/app')
  expect((await printed('repo', 'view', 'harbour/team/app')).name).toBe('harbour/team/app')
  expect(await text('repo', 'search', 'team')).toContain('harbour/team/app')
  const [artifact] = await printed('artifact', 'list', 'harbour/team/app')
  expect(artifact.digest).toBe(digest)
  expect((await printed('artifact', 'view', 'harbour/team/app:1.0')).digest).toBe(digest)
  expect((await printed('artifact', 'view', `harbour/team/app@${digest}`)).tags[0].name).toBe('1.0')
})

test('tags are given to an artifact, listed and taken away', async () => {
  const tag = (name: string) =>
    at.harbor('GET', `/projects/harbour/repositories/team%252Fapp/artifacts/${name}`)
  await harbor('artifact', 'tags', 'create', 'harbour/team/app:1.0', 'stable')
  expect((await tag('stable')).status).toBe(200)
  expect(await text('artifact', 'tags', 'list', 'harbour/team/app:1.0')).toContain('stable')
  await harbor('artifact', 'tags', 'delete', 'harbour/team/app:1.0', 'stable')
  expect((await tag('stable')).status).toBe(404)
})

test('a label is created, put on an artifact, taken off and deleted', async () => {
  const labels = async () => {
    const target = '/projects/harbour/repositories/team%252Fapp/artifacts/1.0?with_label=true'
    const found = (await at.harbor('GET', target)).json.labels ?? []
    return found.map(({ name }: { name: string }) => name)
  }
  await harbor('label', 'create', '--name', 'urgent', '--color', '#FF0000', '--scope', 'g')
  expect(await text('label', 'list')).toContain('urgent')
  await harbor('artifact', 'label', 'add', 'harbour/team/app:1.0', 'urgent')
  expect(await labels()).toEqual(['urgent'])
  await harbor('artifact', 'label', 'delete', 'harbour/team/app:1.0', 'urgent')
  expect(await labels()).toEqual([])
  await harbor('label', 'delete', 'urgent')
  expect((await at.harbor('GET', '/labels?scope=g&name=urgent')).json).toEqual([])
})

test('a robot is created with all rights, seen, given another secret and deleted by its name', async () => {
  const flags = ['--name', 'crane', '--duration', '7', '--all-permission', '--export-to-file']
  await harbor('robot', 'create', ...flags, '--project', 'harbour')
  const file = path.join(at.directory, 'robot$crane-secret.json')
  const robot = JSON.parse(await readFile(file, 'utf8')) as { name: string; secret: string }
  expect(await mayLogIn(robot.name, robot.secret)).toBe(true)
  const found = (await printed('robot', 'list')).find(({ name }: { name: string }) => name === robot.name)
  expect(found.expires_at * 1000).toBeGreaterThan(Date.now() + 6 * 86_400_000)
  // Afterwards it looks for a clipboard, and says so with its exit code where there is none.
  await at.run('harbor-cli', ['robot', 'refresh', String(found.id), '--secret', 'Another-Secret-1'])
  expect(await mayLogIn(robot.name, robot.secret)).toBe(false)
  expect(await mayLogIn(robot.name, 'Another-Secret-1')).toBe(true)
  await harbor('robot', 'delete', robot.name)
  expect(await mayLogIn(robot.name, 'Another-Secret-1')).toBe(false)
})

test('a robot of one project is created, listed there only and deleted by its name', async () => {
  const flags = ['--project', 'harbour', '--name', 'winch', '--duration', '7', '--all-permission']
  await harbor('project', 'robot', 'create', ...flags, '--export-to-file')
  expect(await text('project', 'robot', 'list', 'harbour')).toContain('robot$harbour+winch')
  expect(await text('robot', 'list')).not.toContain('winch')
  await harbor('project', 'robot', 'delete', 'winch', '--project', 'harbour')
  expect(await text('project', 'robot', 'list', 'harbour')).not.toContain('winch')
})

test('a quota is listed, seen and changed', async () => {
  expect(await text('quota', 'list')).toContain('harbour')
  await harbor('quota', 'update', '--project-name', 'harbour', '--storage', '20MiB')
  expect((await printed('quota', 'view', '--project-name', 'harbour')).hard.storage).toBe(20 << 20)
  await harbor('quota', 'update', '--project-name', 'harbour', '--storage=-1')
  const { project_id: id } = (await at.harbor('GET', '/projects/harbour', byName)).json
  const [quota] = (await at.harbor('GET', `/quotas?reference=project&reference_id=${id}`)).json
  expect(quota.hard.storage).toBe(-1)
})

test('the configuration is shown and applied from a file', async () => {
  expect((await printed('config', 'view')).session_timeout).toBe(60)
  const file = path.join(at.directory, 'configuration.json')
  await writeFile(file, JSON.stringify({ session_timeout: 90 }))
  await harbor('config', 'apply', '-f', file, '--yes')
  expect((await at.harbor('GET', '/configurations')).json.session_timeout.value).toBe(90)
})

test('a project is deleted with what is in it only by force', async () => {
  await harbor('repo', 'delete', 'harbour/tool')
  expect((await at.harbor('GET', '/projects/harbour/repositories/tool')).status).toBe(404)
  await refused('project', 'delete', 'harbour')
  await harbor('project', 'delete', 'harbour', '--force')
  expect((await at.harbor('GET', '/projects/harbour', byName)).status).toBe(404)
})

test('harbor-cli was told nothing that a Harbor would not say', () => {
  expect([...at.breaches]).toEqual([])
})
