// Robots over the management API, and what they may with the registry.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Server, startServer } from '../support/server.ts'
import { clientOf, pushImage } from './client.ts'
import { basic, type Harbor, type HarborAnswer, harborOf, makeProject, makeUser } from './management.ts'

let server: Server
let admin: Harbor
let owner: Harbor
let guest: Harbor
let nobody: Harbor
const projects: Record<string, number> = {}
beforeAll(async () => {
  server = await startServer({ open: false })
  admin = harborOf(server.url, 'admin')
  owner = harborOf(server.url, 'owner')
  guest = harborOf(server.url, 'guest')
  nobody = harborOf(server.url)
  for (const name of ['owner', 'guest']) await makeUser(admin, name)
  for (const name of ['team', 'other']) {
    await makeProject(admin, name)
    const members = `/projects/${name}/members`
    const member = await admin('POST', members, { role_id: 3, member_user: { username: 'guest' } })
    projects[name] = (await admin('GET', member.headers.location!.slice('/api/v2.0'.length))).json.project_id
  }
  await admin('POST', '/projects/team/members', { role_id: 1, member_user: { username: 'owner' } })
})
afterAll(() => server.stop())

const rights = (...given: string[]) =>
  given.map((each) => ({ resource: each.split(':')[0]!, action: each.split(':')[1]! }))
const inProject = (namespace: string, ...given: string[]) => ({
  kind: 'project',
  namespace,
  access: rights(...given),
})
const onSystem = (...given: string[]) => ({ kind: 'system', namespace: '/', access: rights(...given) })

let made = 0
/** A project robot that may pull and push, unless told otherwise. */
const robot = (more: object = {}) => ({
  name: `r${++made}`,
  level: 'project',
  duration: 30,
  permissions: [inProject('team', 'repository:pull', 'repository:push')],
  ...more,
})
const ofRobot = ({ json }: HarborAnswer) => harborOf(server.url, json.name, json.secret)
const tokenOf = async (name: string, secret: string, scope: string) => {
  const answer = await fetch(`${server.url}/service/token?service=entrepot&scope=${scope}`, {
    headers: { authorization: basic(name, secret) },
  })
  if (answer.status !== 200) return answer.status
  const { token } = (await answer.json()) as { token: string }
  const { access } = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString())
  return access[0].actions as string[]
}

test('a project robot is made by the project’s administrator, with its secret in this answer only', async () => {
  const answer = await owner('POST', '/robots', robot({ name: 'ci', description: 'builds' }))
  expect([answer.status, answer.json]).toEqual([
    201,
    {
      id: expect.any(Number),
      name: 'robot$team+ci',
      secret: expect.stringMatching(/^[A-Za-z0-9]{32}$/),
      creation_time: expect.any(String),
      expires_at: expect.any(Number),
    },
  ])
  expect(answer.headers.location).toBe(`/api/v2.0/robots/${answer.json.id}`)
  const days = (answer.json.expires_at * 1000 - Date.parse(answer.json.creation_time)) / 86_400_000
  expect(Math.round(days)).toBe(30)
  const { user_id: creator } = (await owner('GET', '/users/current')).json
  expect((await owner('GET', `/robots/${answer.json.id}`)).json).toEqual({
    id: answer.json.id,
    name: 'robot$team+ci',
    description: 'builds',
    level: 'project',
    duration: 30,
    editable: true,
    disable: false,
    expires_at: answer.json.expires_at,
    permissions: [inProject('team', 'repository:pull', 'repository:push')],
    creator_type: 'local',
    creator_ref: creator,
    creation_time: answer.json.creation_time,
    update_time: expect.any(String),
  })
})

test('a robot pushes and pulls in its project and nowhere else, under each of its names', async () => {
  const { json } = await owner('POST', '/robots', robot({ name: 'pusher' }))
  const http = clientOf(server.url, basic(json.name, json.secret))
  await pushImage(http, 'team/app', 'v1')
  expect((await http('GET', '/v2/team/app/manifests/v1')).status).toBe(200)
  expect((await http('POST', '/v2/other/app/blobs/uploads/')).status).toBe(403)
  for (const name of ['robot$team+pusher', 'robot-team+pusher'])
    expect(await tokenOf(name, json.secret, 'repository:team/app:pull,push')).toEqual(['pull', 'push'])
  expect(await tokenOf('team+pusher', json.secret, 'repository:team/app:pull')).toBe(401)
})

test('who pushes into its own project may pull there too, as in Harbor; elsewhere only what was given', async () => {
  const push = 'repository:push'
  const own = await owner('POST', '/robots', robot({ permissions: [inProject('team', push)] }))
  const wide = await admin(
    'POST',
    '/robots',
    robot({ level: 'system', permissions: [inProject('team', push)] }),
  )
  const scope = 'repository:team/app:pull,push'
  expect(await tokenOf(own.json.name, own.json.secret, scope)).toEqual(['pull', 'push'])
  expect(await tokenOf(wide.json.name, wide.json.secret, scope)).toEqual(['push'])
})

test('permissions come back exactly as they were sent, whatever their order and effect', async () => {
  const permissions = [
    { kind: 'system', namespace: '/', access: [{ resource: 'label', action: 'read', effect: 'allow' }] },
    { kind: 'project', namespace: '*', access: rights('tag:list', 'repository:pull') },
    { kind: 'project', namespace: 'team', access: rights('repository:push') },
  ]
  const { json } = await admin('POST', '/robots', robot({ level: 'system', duration: -1, permissions }))
  expect(json.name).toMatch(/^robot\$r\d+$/)
  expect(json.expires_at).toBe(-1)
  const read = (await admin('GET', `/robots/${json.id}`)).json
  expect(read).toMatchObject({ permissions, duration: -1, expires_at: -1, level: 'system' })
})

test.each([
  [{ name: 'Upper' }, 400, 'lower case'],
  [{ name: 'a+b' }, 400, 'lower case'],
  [{ name: '' }, 400, 'lower case'],
  [{ level: 'galaxy' }, 400, 'level input'],
  [{ duration: 0 }, 400, 'duration'],
  [{ duration: -2 }, 400, 'duration'],
  [{ duration: 1.5 }, 422, 'duration'],
  [{ permissions: [] }, 404, 'project'],
  [{ permissions: 'all' }, 422, 'permissions'],
  [{ level: 'system', permissions: [] }, 400, 'empty permission'],
  [{ permissions: [{ kind: 'project', namespace: 'team', access: [] }] }, 400, 'empty access'],
  [{ permissions: [inProject('team', 'repository:fly')] }, 400, 'repository:fly'],
  [{ permissions: [inProject('team', 'robot:update')] }, 400, 'robot:update'],
  [{ permissions: [inProject('team', 'constructor:name')] }, 400, 'constructor:name'],
  [{ permissions: [inProject('team', 'tag:list'), inProject('other', 'tag:list')] }, 400, 'its own project'],
  [{ permissions: [{ ...onSystem('label:read'), kind: 'galaxy' }] }, 400, 'permission level'],
  [{ level: 'system', permissions: [inProject('no-such', 'tag:list')] }, 404, 'no-such'],
  [{ permissions: [inProject('no-such', 'tag:list')] }, 404, 'no-such'],
  [
    { permissions: [{ ...inProject('team'), access: [{ ...rights('tag:list')[0], effect: 'deny' }] }] },
    400,
    'effect',
  ],
  [{ secret: 'weak' }, 400, 'secret'],
])('a robot with %o is refused', async (wrong, status, why) => {
  const answer = await admin('POST', '/robots', robot(wrong))
  expect([answer.status, answer.message]).toEqual([status, expect.stringContaining(why)])
})

test('names are taken once in each project', async () => {
  expect((await owner('POST', '/robots', robot({ name: 'once' }))).status).toBe(201)
  expect((await owner('POST', '/robots', robot({ name: 'once' }))).status).toBe(409)
  const elsewhere = { name: 'once', permissions: [inProject('other', 'repository:pull')] }
  expect((await admin('POST', '/robots', robot(elsewhere))).status).toBe(201)
})

test('project robots are seen by the project’s members and changed by its administrators; system robots by neither', async () => {
  const { id } = (await owner('POST', '/robots', robot())).json
  const whole = (await owner('GET', `/robots/${id}`)).json
  expect((await guest('GET', `/robots/${id}`)).status).toBe(200)
  const attempts = [
    ['POST', '/robots', robot()],
    ['PUT', `/robots/${id}`, whole],
    ['PATCH', `/robots/${id}`, { secret: '' }],
    ['DELETE', `/robots/${id}`, undefined],
    ['GET', '/robots', undefined],
    ['POST', '/robots', robot({ level: 'system' })],
  ] as const
  for (const [method, path, body] of attempts) {
    expect([method, path, (await guest(method, path, body)).status]).toEqual([method, path, 403])
    expect([method, path, (await nobody(method, path, body)).status]).toEqual([method, path, 401])
  }
  const system = (await admin('POST', '/robots', robot({ level: 'system' }))).json
  expect((await owner('GET', `/robots/${system.id}`)).status).toBe(403)
  const foreign = { permissions: [inProject('other', 'repository:pull')] }
  expect((await owner('POST', '/robots', robot(foreign))).status).toBe(403)
  expect((await admin('GET', '/robots/999999')).status).toBe(404)
})

test('lists hold the robots of one project, or those of the system', async () => {
  const system = (await admin('POST', '/robots', robot({ level: 'system' }))).json
  const names = async (who: Harbor, q: string) => {
    const answer = await who('GET', `/robots?q=${q}&page=1&page_size=100&sort=`)
    return answer.status === 200 ? answer.json.map(({ name }: { name: string }) => name) : answer.status
  }
  const ofTeam = `Level%253Dproject%252CProjectID%253D${projects.team}`
  expect(await names(owner, ofTeam)).toContain('robot$team+ci')
  expect(await names(owner, `${ofTeam},name=~once`)).toEqual(['robot$team+once'])
  expect(await names(admin, ofTeam)).not.toContain(system.name)
  expect(await names(admin, '')).toContain(system.name)
  expect(await names(admin, 'Level=system')).not.toContain('robot$team+ci')
  expect(await names(guest, ofTeam)).toContain('robot$team+ci')
  expect(await names(owner, `Level=project,ProjectID=${projects.other}`)).toBe(403)
  expect(await names(admin, 'Level=project,ProjectID=99999')).toBe(404)
  for (const wrong of ['Level=project', 'Level=project,ProjectID=x', 'Level=galaxy', 'Level=~project'])
    expect([wrong, await names(admin, wrong)]).toEqual([wrong, 400])
})

test('a change replaces the whole robot but its name and level, and counts at once', async () => {
  const answer = await owner('POST', '/robots', robot())
  const path = `/robots/${answer.json.id}`
  const whole = (await owner('GET', path)).json
  const put = async (change: object) => (await owner('PUT', path, { ...whole, ...change })).status
  expect(await put({ name: 'robot$team+other' })).toBe(400)
  expect(await put({ level: 'system' })).toBe(400)
  expect(await put({ permissions: [inProject('other', 'repository:pull')] })).toBe(400)
  expect(await put({ permissions: [] })).toBe(400)
  const permissions = [inProject('team', 'tag:list')]
  expect(await put({ description: 'less', duration: -1, permissions, creator_ref: 1, editable: false })).toBe(
    200,
  )
  expect((await owner('GET', path)).json).toMatchObject({
    description: 'less',
    duration: -1,
    expires_at: -1,
    editable: true,
    permissions,
    creator_ref: whole.creator_ref,
  })
  const { name, secret } = answer.json
  expect(await tokenOf(name, secret, 'repository:team/app:push')).toEqual([])
  expect(await put({ disable: true })).toBe(200)
  expect(await tokenOf(name, secret, 'repository:team/app:push')).toBe(401)
  expect(await put({ disable: false })).toBe(200)
  expect(await tokenOf(name, secret, 'repository:team/app:push')).toEqual(['push'])
  expect((await owner('DELETE', path)).status).toBe(200)
  expect(await tokenOf(name, secret, 'repository:team/app:push')).toBe(401)
  expect((await owner('GET', path)).status).toBe(404)
})

test('a secret is refreshed with a random one or with one that is sent; the old one is void', async () => {
  const answer = await owner('POST', '/robots', robot({ secret: 'First-secret-1' }))
  const { id, name, secret } = answer.json
  expect(secret).toBe('First-secret-1')
  const pull = 'repository:team/app:pull'
  const random = await owner('PATCH', `/robots/${id}`, { secret: '' })
  expect([random.status, Object.keys(random.json)]).toEqual([200, ['secret']])
  expect(await tokenOf(name, secret, pull)).toBe(401)
  expect(await tokenOf(name, random.json.secret, pull)).toEqual(['pull'])
  const sent = await owner('PATCH', `/robots/${id}`, { secret: 'New_secret_At_321' })
  expect([sent.status, sent.json]).toEqual([200, {}])
  expect(await tokenOf(name, 'New_secret_At_321', pull)).toEqual(['pull'])
  expect((await owner('PATCH', `/robots/${id}`, { secret: 'weak' })).status).toBe(400)
})

test('a robot makes robots that may no more than itself, and renews the secrets of those it made only', async () => {
  const given = ['repository:pull', 'robot:create', 'robot:read', 'robot:list', 'robot:delete']
  const maker = await owner('POST', '/robots', robot({ permissions: [inProject('team', ...given)] }))
  const bot = ofRobot(maker)
  const more = await bot('POST', '/robots', robot())
  expect([more.status, more.message]).toEqual([403, expect.stringContaining('permission scope is invalid')])
  expect((await bot('POST', '/robots', robot({ level: 'system' }))).status).toBe(403)
  const foreign = { permissions: [inProject('other', 'repository:pull')] }
  expect((await bot('POST', '/robots', robot(foreign))).status).toBe(403)
  const less = { permissions: [inProject('team', 'repository:pull')] }
  const child = await bot('POST', '/robots', robot(less))
  expect(child.status).toBe(201)
  expect((await bot('GET', `/robots/${child.json.id}`)).json).toMatchObject({
    creator_type: 'robot',
    creator_ref: maker.json.id,
  })
  const renewed = await bot('PATCH', `/robots/${child.json.id}`, { secret: '' })
  expect(renewed.json.secret).toMatch(/^[A-Za-z0-9]{32}$/)
  expect((await bot('PUT', `/robots/${child.json.id}`, {})).status).toBe(403)
  const foreigner = (await owner('POST', '/robots', robot(less))).json
  for (const id of [maker.json.id, foreigner.id])
    expect((await bot('PATCH', `/robots/${id}`, { secret: '' })).status).toBe(403)
  const stronger = { ...(await owner('GET', `/robots/${child.json.id}`)).json, ...robot() }
  await owner('PUT', `/robots/${child.json.id}`, { ...stronger, name: child.json.name })
  expect((await bot('PATCH', `/robots/${child.json.id}`, { secret: '' })).status).toBe(403)
  expect((await bot('DELETE', `/robots/${child.json.id}`)).status).toBe(200)
})

test('a robot is nobody’s current user, but logs in as harbor-cli tries next', async () => {
  const bot = ofRobot(await owner('POST', '/robots', robot()))
  expect((await bot('GET', '/users/current')).status).toBe(412)
  expect((await bot('GET', '/ping')).status).toBe(200)
})

test('what can be given is told to administrators, of the registry and of a project', async () => {
  const all = (await admin('GET', '/permissions')).json
  expect(all.project).toContainEqual({ resource: 'repository', action: 'push' })
  expect(all.system).toContainEqual({ resource: 'user', action: 'list' })
  expect([all.project.length, all.system.length]).toEqual([70, 70])
  expect((await owner('GET', '/permissions')).json).toEqual({ project: all.project })
  expect((await guest('GET', '/permissions')).status).toBe(403)
  expect((await nobody('GET', '/permissions')).status).toBe(401)
})

test('robots are renamed with the configured prefix, and log in with it and with the usual ones', async () => {
  const { id, secret } = (await owner('POST', '/robots', robot({ name: 'named' }))).json
  await admin('PUT', '/configurations', { robot_name_prefix: 'bot_' })
  expect((await owner('GET', `/robots/${id}`)).json.name).toBe('bot_team+named')
  for (const name of ['bot_team+named', 'robot$team+named', 'robot-team+named'])
    expect(await tokenOf(name, secret, 'repository:team/app:pull')).toEqual(['pull'])
  await admin('PUT', '/configurations', { robot_name_prefix: 'robot$' })
  expect(await tokenOf('bot_team+named', secret, 'repository:team/app:pull')).toBe(401)
})

test('a robot that manages users makes no administrator, and has no power over one', async () => {
  const { json } = await admin('POST', '/robots', {
    name: 'user-keeper',
    level: 'system',
    duration: 1,
    permissions: [onSystem('user:read', 'user:update', 'user:create')],
  })
  const keeper = harborOf(server.url, json.name, json.secret)
  const number = await makeUser(admin, 'kept')
  const refused = { status: 403, message: expect.stringContaining('only administrators') }
  expect(await keeper('PUT', `/users/${number}/sysadmin`, { sysadmin_flag: true })).toMatchObject(refused)
  for (const path of ['password', 'cli_secret']) {
    const body = { new_password: 'Taken-over-1', secret: 'Taken-over-1' }
    expect(await keeper('PUT', `/users/1/${path}`, body)).toMatchObject(refused)
  }
  expect((await keeper('PUT', `/users/${number}/password`, { new_password: 'New-password-1' })).status).toBe(
    200,
  )
  expect((await admin('GET', `/users/${number}`)).json.sysadmin_flag).toBe(false)
})
