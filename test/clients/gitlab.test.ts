// The lines of the guide for GitLab CI, as they stand in docs/robots.md, run by docker with the variables it names.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { harborOf } from '../api/management.ts'
import { startDocker } from './docker-daemon.ts'
import { expected, openWorkplace, type Workplace } from './workplace.ts'

const guide = readFileSync(path.resolve(import.meta.dirname, '../../docs/robots.md'), 'utf8')
const [, pipeline] = /<!-- gitlab -->\n```yaml\n([\s\S]*?)```/.exec(guide)!
const { script } = parse(pipeline!).build as { script: string[] }

let at: Workplace
let engine: { DOCKER_HOST: string; DOCKER_CONFIG: string }
let robot: { id: number; name: string; secret: string }
beforeAll(async () => {
  at = await openWorkplace()
  engine = await startDocker(at)
  const admin = harborOf(at.registry.url, 'admin', at.registry.password)
  const made = await admin('POST', '/robots', {
    name: 'ci-pipeline',
    level: 'project',
    duration: 365,
    permissions: [
      {
        kind: 'project',
        namespace: 'library',
        access: ['pull', 'push'].map((action) => ({ resource: 'repository', action })),
      },
    ],
  })
  expect(made.status).toBe(201)
  robot = made.json
  await at.sh(
    'mkdir job && cd job && echo hello > hello && printf "FROM scratch\\nCOPY hello /\\n" > Dockerfile',
  )
}, 120_000)
afterAll(() => at.close())

/** One line after the other in one shell that knows PATH, where docker is, and the variables of the guide. */
function job(variables: Record<string, string>): Promise<string> {
  const names = { ...engine, ...variables }
  const settings = Object.entries(names).map(([name, value]) => `${name}='${value}'`)
  const lines = script.join('\n').replaceAll("'", `'\\''`)
  return at.sh(
    `cd job && env -i PATH="$PATH" HOME="$HOME" DOCKER_BUILDKIT=0 ${settings.join(' ')} bash -euc '${lines}'`,
  )
}

const variables = (name: string, secret: string) => ({
  HARBOR_URL: at.host,
  HARBOR_PROJECT: 'library',
  HARBOR_ROBOT_USER: name,
  HARBOR_ROBOT_TOKEN: secret,
  CI_COMMIT_SHA: `sha-${name.length}-${secret.length}`,
})

test('the guide’s three lines log in, build and push, under both names of the robot', async () => {
  expect(script).toHaveLength(3)
  for (const name of [robot.name, robot.name.replace('robot$', 'robot-')]) {
    const given = { ...variables(name, robot.secret), CI_COMMIT_SHA: `of-${name.replace(/[$+]/g, '.')}` }
    const said = await job(given)
    expect(said).toContain('Login Succeeded')
    const digest = /digest: (sha256:[0-9a-f]{64})/.exec(said)?.[1] ?? ''
    expect((await at.manifest('library/myapp', given.CI_COMMIT_SHA)).digest).toBe(expected(digest))
  }
})

test('with a wrong or an old secret the first line fails, and says why', async () => {
  await expect(job(variables(robot.name, 'Wrong-secret-1'))).rejects.toThrow(/unauthorized/)
  const admin = harborOf(at.registry.url, 'admin', at.registry.password)
  await admin('PATCH', `/robots/${robot.id}`, { secret: '' })
  await expect(job(variables(robot.name, robot.secret))).rejects.toThrow(
    /unauthorized: authentication required/,
  )
})
