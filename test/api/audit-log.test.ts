// The audit log: for each operation that Harbor 2.14 notes exactly one entry, with the fields and words that its source
// gives them (goharbor/harbor v2.14.4: src/controller/event/topic.go, src/pkg/auditext/event).
import path from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { ADMIN_PASSWORD, type Server, startServer } from '../support/server.ts'
import { type Answer, type Client, clientOf, MANIFEST, pushImage } from './client.ts'
import { basic, type Harbor, harborOf, makeUser, numberOf, PASSWORD } from './management.ts'

interface Entry {
  username: string
  operation: string
  resource_type: string
  resource: string
  operation_description: string
  operation_result: boolean
}

const LOG = '/auditlog-exts?page_size=100'
let server: Server
let admin: Harbor
let http: Client
let app: Awaited<ReturnType<typeof pushImage>>
let noted = 0
let expectedInAll = 0
beforeAll(async () => {
  const preload = process.env.SABOTAGE === 'audit' ? [path.join(import.meta.dirname, 'noted-twice.ts')] : []
  server = await startServer({ open: false, preload })
  admin = harborOf(server.url, 'admin')
  http = clientOf(server.url, basic('admin', ADMIN_PASSWORD))
  await pushImage(http, 'library/public', 'v1')
  await vi.waitFor(async () => expect(await entries()).toHaveLength(1), { timeout: 10_000 })
  noted = 1
  expectedInAll = 1
})
afterAll(() => server.stop())

async function entries(): Promise<(Entry & { id: number; op_time: string })[]> {
  return (await admin('GET', LOG)).json
}

const of = (operation: string, resource_type: string, resource: string, operation_description: string) => ({
  username: 'admin',
  operation,
  resource_type,
  resource,
  operation_description,
  operation_result: true,
})

/** Does it, and expects these entries, oldest first, and no more. */
async function expectNoted<Result>(run: () => Promise<Result>, ...expected: Entry[]): Promise<Result> {
  const before = noted
  const beganMs = Date.now() - 60_000
  const fresh = async () =>
    (await entries())
      .slice(0, -before)
      .reverse()
      .map(({ id: _, op_time, ...entry }) => {
        expect(Date.parse(op_time)).toBeGreaterThan(beganMs)
        return entry
      })
  try {
    const result = await run()
    await expect.poll(fresh, { timeout: 5000 }).toEqual(expected)
    return result
  } finally {
    noted = (await entries()).length
    expectedInAll += expected.length
  }
}

async function expectStatus(status: number, answer: Promise<Answer>): Promise<void> {
  expect((await answer).status).toBe(status)
}

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const logIn = (principal: string, password: string) =>
  clientOf(server.url)('POST', '/c/login', {
    headers: FORM,
    body: new URLSearchParams({ principal, password }).toString(),
  })

test('create_project is one entry, and its first member is none', () =>
  expectNoted(
    () => expectStatus(201, admin('POST', '/projects', { project_name: 'audited' })),
    of('create', 'project', 'audited', 'create project: audited'),
  ))

test('create_artifact names the tag that was pushed, and describes it by its digest', async () => {
  app = await pushImage(http, 'audited/app', 'v1')
  await expectNoted(
    async () => {},
    of('create', 'artifact', 'audited/app:v1', `push artifact: audited/app@${app.digest}`),
  )
})

test('pull_artifact is an entry for each GET of a manifest, by whoever it was, and none for HEAD', async () => {
  const pulled = (resource: string) =>
    of('pull', 'artifact', resource, `pull artifact: audited/app@${app.digest}`)
  await expectNoted(
    () => expectStatus(200, http('GET', '/v2/audited/app/manifests/v1')),
    pulled('audited/app:v1'),
  )
  await expectNoted(
    () => expectStatus(200, http('GET', `/v2/audited/app/manifests/${app.digest}`)),
    pulled(`audited/app@${app.digest}`),
  )
  await expectNoted(async () => {
    await expectStatus(200, http('HEAD', '/v2/audited/app/manifests/v1'))
    await expectStatus(404, http('GET', '/v2/audited/app/manifests/none'))
  })
  const [shown] = (await admin('GET', '/projects/audited/auditlog-exts')).json
  expect(shown).toMatchObject(pulled(`audited/app@${app.digest}`))
})

test('a pull without a login is anonymous’s', async () => {
  const answer = await clientOf(server.url)('GET', '/v2/library/public/manifests/v1')
  const digest = answer.headers['docker-content-digest']
  await expectNoted(async () => {}, {
    ...of('pull', 'artifact', 'library/public:v1', `pull artifact: library/public@${digest}`),
    username: 'anonymous',
  })
})

test('a tag by the API is create_tag and delete_tag, by a push it is the push', async () => {
  const tags = '/projects/audited/repositories/app/artifacts/v1/tags'
  await expectNoted(
    () => expectStatus(201, admin('POST', tags, { name: 'v2' })),
    of('create', 'tag', 'audited/app:v2', 'create tag: audited/app:v2'),
  )
  await expectNoted(
    () => expectStatus(200, admin('DELETE', `${tags}/v2`)),
    of('delete', 'tag', 'audited/app:v2', 'delete tag: audited/app:v2'),
  )
  await expectNoted(
    () => {
      const headers = { 'content-type': MANIFEST }
      return expectStatus(201, http('PUT', '/v2/audited/app/manifests/v3', { headers, body: app.bytes }))
    },
    of('create', 'artifact', 'audited/app:v3', `push artifact: audited/app@${app.digest}`),
  )
})

test('delete_artifact names the digest, whatever its tags were, and is the only entry', () =>
  expectNoted(
    () => expectStatus(200, admin('DELETE', '/projects/audited/repositories/app/artifacts/v1')),
    of('delete', 'artifact', `audited/app@${app.digest}`, `delete artifact: audited/app@${app.digest}`),
  ))

test('delete_repository is one entry, however much was in it', async () => {
  await expectNoted(
    () => pushImage(http, 'audited/more', 'v1'),
    of('create', 'artifact', 'audited/more:v1', expect.stringContaining('push artifact: audited/more@')),
  )
  await expectNoted(
    () => expectStatus(200, admin('DELETE', '/projects/audited/repositories/more')),
    of('delete', 'repository', 'audited/more', 'delete repository: audited/more'),
  )
})

test('create_user, update_user and delete_user are noted when they worked, and when they were refused', async () => {
  const ann = (operation: string, more = '') =>
    of(operation, 'user', 'ann', `${operation} user with name: ann${more}`)
  const number = await expectNoted(() => makeUser(admin, 'ann'), ann('create'))
  const body = { username: 'ann', email: 'other@example.com', realname: 'ann', password: PASSWORD }
  await expectNoted(() => expectStatus(409, admin('POST', '/users', body)), {
    ...ann('create'),
    operation_result: false,
  })
  const user = `/users/${number}`
  const profile = { email: 'ann@example.com', realname: 'Ann', comment: '' }
  await expectNoted(() => expectStatus(200, admin('PUT', user, profile)), ann('update'))
  await expectNoted(
    () => expectStatus(200, admin('PUT', `${user}/password`, { new_password: 'Another-passw0rd' })),
    ann('update', ', change user password'),
  )
  await expectNoted(() => expectStatus(400, admin('PUT', `${user}/password`, { new_password: 'weak' })), {
    ...ann('update', ', change user password'),
    operation_result: false,
  })
  await expectNoted(
    () => expectStatus(200, admin('PUT', `${user}/sysadmin`, { sysadmin_flag: true })),
    ann('update', ', add/remove user as system administrator'),
  )
  await expectNoted(() => expectStatus(200, admin('DELETE', user)), ann('delete'))
})

test('create_robot and delete_robot name it as it logs in', async () => {
  const access = [{ resource: 'repository', action: 'pull' }]
  const permissions = [{ kind: 'project', namespace: 'audited', access }]
  const robot = { name: 'ci', level: 'project', duration: 1, permissions }
  const name = 'robot$audited+ci'
  const number = await expectNoted(
    async () => numberOf(await admin('POST', '/robots', robot)),
    of('create', 'robot', name, `create robot: ${name}`),
  )
  await expectNoted(
    () => expectStatus(200, admin('DELETE', `/robots/${number}`)),
    of('delete', 'robot', name, `delete robot: ${name}`),
  )
})

test('update_configuration is noted when it worked, and when it was refused', async () => {
  const updated = of('update', 'configuration', 'configuration', 'update configuration')
  await expectNoted(
    () => expectStatus(200, admin('PUT', '/configurations', { session_timeout: 30 })),
    updated,
  )
  await expectNoted(() => expectStatus(400, admin('PUT', '/configurations', { session_timeout: -1 })), {
    ...updated,
    operation_result: false,
  })
})

test('login_user is noted when it worked and when it failed, by the name that was typed, and logout_user once', async () => {
  const user = (operation: string, name: string, operation_result: boolean) => ({
    ...of(operation, 'user', name, operation),
    username: name,
    operation_result,
  })
  const session = await expectNoted(() => logIn('admin', ADMIN_PASSWORD), user('login', 'admin', true))
  await expectNoted(() => expectStatus(401, logIn('admin', 'wrong')), user('login', 'admin', false))
  await expectNoted(() => expectStatus(401, logIn('no body', 'wrong')), user('login', 'no body', false))
  const headers = { cookie: session.headers['set-cookie']![0]!.split(';')[0]! }
  const logOut = () => expectStatus(200, clientOf(server.url)('GET', '/c/log_out', { headers }))
  await expectNoted(logOut, user('logout', 'admin', true))
  await expectNoted(logOut) // as Harbor's page does, which sends it twice
})

test('a login of docker, which is a token without a scope, is no entry, right or wrong, as in Harbor', () =>
  expectNoted(async () => {
    await expectStatus(200, http('GET', '/service/token?service=entrepot'))
    const headers = { authorization: basic('admin', 'wrong') }
    await expectStatus(401, clientOf(server.url)('GET', '/service/token?service=entrepot', { headers }))
  }))

test('members are noted beside what Harbor 2.14 notes, in the words of its later versions', async () => {
  await expectNoted(() => makeUser(admin, 'bob'), of('create', 'user', 'bob', 'create user with name: bob'))
  const body = { role_id: 2, member_user: { username: 'bob' } }
  const number = await expectNoted(
    async () => numberOf(await admin('POST', '/projects/audited/members', body)),
    of('create', 'member', 'bob', 'create user member bob in project audited'),
  )
  const member = `/projects/audited/members/${number}`
  await expectNoted(
    () => expectStatus(200, admin('PUT', member, { role_id: 1 })),
    of('update', 'member', 'bob', 'update user member bob in project audited'),
  )
  await expectNoted(
    () => expectStatus(200, admin('DELETE', member)),
    of('delete', 'member', 'bob', 'delete user member bob from project audited'),
  )
})

test('what is disabled in the configuration is not noted', async () => {
  const updated = of('update', 'configuration', 'configuration', 'update configuration')
  const configure = (settings: object) => expectStatus(200, admin('PUT', '/configurations', settings))
  const disabled = 'Create_Artifact, login_user,create_label'
  await expectNoted(
    () => configure({ pull_audit_log_disable: true, disabled_audit_log_event_types: disabled }),
    updated,
  )
  await pushImage(http, 'audited/silent', 'v1')
  await expectStatus(200, http('GET', '/v2/audited/silent/manifests/v1'))
  await expectStatus(401, logIn('admin', 'wrong'))
  await expectStatus(201, admin('POST', '/labels', { name: 'silent', scope: 'g' }))
  // What is written after the pull's entry would be.
  const silent = async () => (await admin('GET', '/projects/audited/repositories/silent')).json.pull_count
  await expect.poll(silent).toBe(1)
  // What comes after it in the same queue is there, and they are not.
  await expectNoted(
    () => expectStatus(200, admin('DELETE', '/projects/audited/repositories/silent')),
    of('delete', 'repository', 'audited/silent', 'delete repository: audited/silent'),
  )
  await expectNoted(
    () => configure({ pull_audit_log_disable: false, disabled_audit_log_event_types: '' }),
    updated,
  )
})

test('delete_project is one entry', async () => {
  await expectNoted(
    () => expectStatus(200, admin('DELETE', '/projects/audited/repositories/app')),
    of('delete', 'repository', 'audited/app', 'delete repository: audited/app'),
  )
  await expectNoted(
    () => expectStatus(200, admin('DELETE', '/projects/audited')),
    of('delete', 'project', 'audited', 'delete project: audited'),
  )
})

test('the types of events are Harbor’s, in its order, and ours after them', async () => {
  const types = (await admin('GET', '/auditlog-exts/events')).json.map(
    ({ event_type }: { event_type: string }) => event_type,
  )
  expect(types.slice(0, 14)).toEqual([
    'create_artifact',
    'delete_artifact',
    'pull_artifact',
    'create_project',
    'delete_project',
    'delete_repository',
    'login_user',
    'logout_user',
    'create_user',
    'delete_user',
    'update_user',
    'create_robot',
    'delete_robot',
    'update_configuration',
  ])
})

test('all of it is what was expected one by one, and nothing besides', async () => {
  expect(await entries()).toHaveLength(expectedInAll)
})
