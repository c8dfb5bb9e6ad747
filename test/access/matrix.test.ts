// Who may do what, over HTTP: every role, robots with each single right, administrators, strangers and nobody, against
// every endpoint there is. What is expected is Harbor's own source, transcribed apart from our tables.
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Client, clientOf, pushImage } from '../api/client.ts'
import { basic, type Harbor, harborOf, makeUser, numberOf } from '../api/management.ts'
import {
  HARBOR_PUBLIC,
  HARBOR_ROBOT_PROJECT,
  HARBOR_ROBOT_SYSTEM,
  HARBOR_ROLES,
  rulesIn,
} from '../unit/access/harbor-roles.ts'
import { isTried, nobodyAt, openTried, REFUSED_NOBODY, type Tried } from './place.ts'
import { type Place, PROJECT_PROBES, type Probe, PUSH_PROBE, type Registry, SYSTEM_PROBES } from './probes.ts'

const PATIENCE_MS = 240_000
const AT_ONCE = 8
const ROLE_NUMBERS = { projectAdmin: 1, developer: 2, guest: 3, maintainer: 4, limitedGuest: 5 }
const EVERYBODY = rulesIn(HARBOR_PUBLIC)

let server: Tried
let admin: Harbor
const places: Record<'hidden' | 'open', Place> = {} as never
const registry: Registry = { label: 0, robot: 0 }
let cases = 0

beforeAll(async () => {
  const preload = process.env.SABOTAGE === 'roles' ? [path.join(import.meta.dirname, 'guests-push.ts')] : []
  server = await openTried(preload)
  admin = harborOf(server.url, 'admin', server.adminPassword)
  await admin('PUT', '/configurations', { project_creation_restriction: 'adminonly' })
  for (const name of ['hidden', 'open'] as const) places[name] = await makeProject(name, name === 'open')
  await renew(registry, undefined)
  for (const [role, role_id] of Object.entries(ROLE_NUMBERS)) {
    await makeUser(admin, role)
    const added = await admin('POST', '/projects/hidden/members', {
      role_id,
      member_user: { username: role },
    })
    expect(added.status).toBe(201)
  }
  await makeUser(admin, 'stranger')
}, PATIENCE_MS)
afterAll(async () => {
  await server.stop()
  console.log(`${cases} cases of who may do what`)
})

async function makeProject(project: string, isPublic: boolean): Promise<Place> {
  const body = { project_name: project, metadata: { public: String(isPublic) } }
  const number = numberOf(await admin('POST', '/projects', body))
  await pushImage(clientOf(server.url, basic('admin', server.adminPassword)), `${project}/app`, 'v1')
  const place = { project, number, label: 0, robot: 0 }
  await renew(place, place)
  return place
}

/** Something to delete: a label and a robot of the project, or of the registry. */
async function renew(target: Registry, place: Place | undefined, what?: 'label' | 'robot'): Promise<void> {
  const name = `v${Math.random().toString(36).slice(2)}`
  if (what !== 'robot') {
    const owner = place ? { scope: 'p', project_id: place.number } : { scope: 'g' }
    target.label = numberOf(await admin('POST', '/labels', { name, ...owner }))
  }
  if (what !== 'label')
    target.robot = (await makeRobot(place ? 'project' : 'system', place, ['robot read'])).number
}

interface Login {
  http: Client
  number: number
}

async function makeRobot(
  level: 'project' | 'system',
  place: Place | undefined,
  rights: string[],
  kind: 'project' | 'system' = level,
): Promise<Login> {
  const access = rights.map((right) => ({ resource: right.split(' ')[0], action: right.split(' ')[1] }))
  const namespace = kind === 'system' ? '/' : (place?.project ?? '*')
  const { status, body, json } = await admin('POST', '/robots', {
    name: `r${Math.random().toString(36).slice(2)}`,
    level,
    duration: -1,
    permissions: [{ kind, namespace, access }],
  })
  expect([status, body.toString()]).toEqual([201, expect.anything()])
  return { http: clientOf(server.url, basic(json.name, json.secret)), number: json.id }
}

const userLogin = (name: string) => {
  const password = name === 'admin' ? server.adminPassword : 'Passw0rd-of-tests'
  return clientOf(server.url, basic(name, password))
}

/** @returns each case that went otherwise than `allowed` says */
async function wrongCases<Where extends Registry>(
  http: Client,
  where: Where,
  probes: Probe<Where>[],
  allowed: (right: string) => boolean,
  refusedWith: number[],
): Promise<string[]> {
  const wrong: string[] = []
  const attempt = async (probe: Probe<Where>) => {
    const body = probe.body && JSON.stringify(probe.body(where))
    const { status, message } = await http(probe.method, probe.path(where), {
      headers:
        body === undefined ? {} : { 'content-type': 'application/json', 'content-length': `${body.length}` },
      ...(body === undefined ? {} : { body }),
    })
    cases += 1
    const expected = allowed(probe.right)
    const right = expected ? status < 500 && ![401, 403].includes(status) : refusedWith.includes(status)
    if (!right)
      wrong.push(
        `${probe.right}: ${probe.method} ${probe.path(where)} is ${status} ${message}, ${expected ? 'allowed' : 'refused'} in Harbor`,
      )
    if (probe.victim && status === 200)
      await renew(where, 'project' in where ? (where as unknown as Place) : undefined, probe.victim)
  }
  const peaceful = probes.filter(({ victim }) => !victim)
  for (let at = 0; at < peaceful.length; at += AT_ONCE)
    await Promise.all(peaceful.slice(at, at + AT_ONCE).map(attempt))
  for (const probe of probes.filter(({ victim }) => victim)) await attempt(probe)
  return wrong
}

const ofUsers = [...PROJECT_PROBES, PUSH_PROBE].filter(({ robotsOnly }) => !robotsOnly)

/** A user's cases: where it has a role, where it has none in public, on the registry, and where there is no project. */
async function wrongCasesOfUser(http: Client, rights: string[], refusedWith: number[]): Promise<string[]> {
  const missing = { ...places.hidden, project: 'missing', number: 999_999 }
  const paths = ofUsers.filter(({ path }) => path(missing).includes('missing'))
  return [
    ...(await wrongCases(http, places.hidden, ofUsers, (right) => rights.includes(right), refusedWith)),
    ...(await wrongCases(http, places.open, ofUsers, (right) => EVERYBODY.includes(right), refusedWith)),
    ...(await wrongCases(http, registry, SYSTEM_PROBES, () => false, refusedWith)),
    ...(await wrongCases(http, missing, paths, () => false, refusedWith)),
  ]
}

test.each(Object.keys(ROLE_NUMBERS))(
  'a %s may do what Harbor lets it do, in its project and elsewhere',
  async (role) => {
    expect(await wrongCasesOfUser(userLogin(role), rulesIn(HARBOR_ROLES[role]!), [403])).toEqual([])
  },
  PATIENCE_MS,
)

test(
  'a stranger may do in public projects what everybody may, and nothing else',
  async () => {
    expect(await wrongCasesOfUser(userLogin('stranger'), [], [403])).toEqual([])
  },
  PATIENCE_MS,
)

test(
  'nobody in particular may do the same, and is asked to log in for the rest',
  async () => {
    expect(await wrongCasesOfUser(nobodyAt(server.url), [], REFUSED_NOBODY)).toEqual([])
  },
  PATIENCE_MS,
)

test(
  'an administrator may do everything',
  async () => {
    const http = userLogin('admin')
    const wrong = [
      ...(await wrongCases(http, places.hidden, ofUsers, () => true, [])),
      ...(await wrongCases(http, places.open, ofUsers, () => true, [])),
      ...(await wrongCases(http, registry, SYSTEM_PROBES, () => true, [])),
    ]
    expect(wrong).toEqual([])
  },
  PATIENCE_MS,
)

/** A robot's cases: what it was given in its project or on the registry; with `open`, also what everybody may. */
async function wrongCasesOfRobot(
  name: string,
  http: Client,
  given: { hidden: string[]; open?: string[]; system: string[] },
) {
  // By paths of an example, because numbers differ from run to run.
  const example = { project: 'p', number: 1, label: 1, robot: 1 }
  const sample = <Where extends Registry>(where: string, probes: Probe<Where>[], rights: string[]) =>
    probes.filter(
      ({ right, method, path }) =>
        rights.includes(right) || isTried(name, where, method, path(example as unknown as Where)),
    )
  const probes = [...PROJECT_PROBES, PUSH_PROBE].filter(
    // Pushing asks for pull and push together.
    ({ right }) =>
      right !== 'repository push' ||
      !given.hidden.includes(right) ||
      given.hidden.includes('repository pull'),
  )
  const has = (rights: string[]) => (right: string) => rights.includes(right)
  const open = given.open && has([...EVERYBODY, ...given.open])
  const { hidden, system } = given
  return [
    ...(await wrongCases(http, places.hidden, sample('hidden', probes, hidden), has(hidden), [403])),
    ...(open
      ? await wrongCases(http, places.open, sample('open', probes, given.open ?? []), open, [403])
      : []),
    ...(await wrongCases(http, registry, sample('registry', SYSTEM_PROBES, system), has(system), [403])),
  ]
}

test.each(rulesIn(HARBOR_ROBOT_PROJECT))(
  'a project’s robot with %s may do that in its project, and nothing else',
  async (right) => {
    const { http } = await makeRobot('project', places.hidden, [right])
    const hidden = right === 'repository push' ? [right, 'repository pull'] : [right]
    expect(await wrongCasesOfRobot(right, http, { hidden, open: [], system: [] })).toEqual([])
  },
  PATIENCE_MS,
)

test.each(rulesIn(HARBOR_ROBOT_SYSTEM))(
  'a robot with %s on the registry may do that, and nothing in projects',
  async (right) => {
    const { http } = await makeRobot('system', undefined, [right])
    expect(await wrongCasesOfRobot(right, http, { hidden: [], system: [right] })).toEqual([])
  },
  PATIENCE_MS,
)

test(
  'a robot with everything in every project, or in another one, may do that there and nothing on the registry',
  async () => {
    const all = rulesIn(HARBOR_ROBOT_PROJECT)
    const everywhere = await makeRobot('system', undefined, all, 'project')
    expect(
      await wrongCasesOfRobot('everywhere', everywhere.http, { hidden: all, open: all, system: [] }),
    ).toEqual([])
    const elsewhere = await makeRobot('project', places.open, all)
    expect(
      await wrongCasesOfRobot('elsewhere', elsewhere.http, { hidden: [], open: all, system: [] }),
    ).toEqual([])
  },
  PATIENCE_MS,
)
