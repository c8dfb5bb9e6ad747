// Explanations: the rule that lets somebody in or keeps somebody out, and what refused requests were refused for.
import { beforeAll, expect, test } from 'vitest'
import { explain, findDenial } from '../../lib/access/explain.ts'
import { addMember } from '../../lib/access/members.ts'
import { createRobot } from '../../lib/access/robots.ts'
import { changeUser, createUser, ensureAdmin } from '../../lib/access/users.ts'
import { createProject } from '../../lib/registry/projects.ts'
import { Recorder } from '../../lib/registry/recorder.ts'
import type { Registry } from '../../lib/registry/registry.ts'
import { testRegistry } from './registry.ts'

let registry: Registry
beforeAll(async () => {
  registry = await testRegistry()
  await ensureAdmin(registry, 'Admin-password-1')
  const project = await createProject(registry, 'team')
  await createProject(registry, 'open', { public: true })
  const user = { password: 'User-password-1', email: 'ann@example.com' }
  const ann = await createUser(registry, { ...user, name: 'ann' })
  await addMember(registry, project, { kind: 'user', entity: ann.number, name: 'ann', role: 'guest' })
  await createUser(registry, { ...user, name: 'off', email: 'off@example.com' })
  await changeUser(registry, 'off', { disabled: true })
  await createRobot(registry, {
    name: 'ci',
    description: '',
    project,
    permissions: [
      { kind: 'project', namespace: 'team', access: [{ resource: 'repository', action: 'pull' }] },
    ],
    durationDays: 30,
    createdBy: { kind: 'user', number: 1, name: 'admin' },
  })
})

test.each([
  ['admin', 'push', 'team/app', true, 'administrators'],
  ['ann', 'pull', 'team/app', true, 'role guest'],
  ['ann', 'push', 'team/app', false, 'needs developer (entrepot member add team ann --role developer)'],
  ['ann', 'member:create', 'team', false, 'needs projectAdmin'],
  ['ann', 'robot:list', '/', false, 'only administrators'],
  ['anonymous', 'pull', 'open/app', true, 'public'],
  ['anonymous', 'pull', 'team/app', false, 'without login'],
  ['robot$team+ci', 'pull', 'team/app', true, 'robot has repository:pull'],
  ['robot-team+ci', 'push', 'team/app', false, 'not given repository:push'],
  ['off', 'pull', 'library/app', false, 'off is disabled'],
  ['ann', 'pull', 'absent/app', false, 'there is no project absent'],
])('%s %s %s: %s, because %s', async (who, action, on, allowed, why) => {
  const said = await explain(registry, who, action, on)
  expect(said).toMatchObject({ allowed, why: expect.stringContaining(why) })
})

test('what does not exist is named', async () => {
  await expect(explain(registry, 'eve', 'pull', 'team/app')).rejects.toThrow('nobody here is called eve')
  await expect(explain(registry, 'ann', 'fly', 'team/app')).rejects.toThrow('"fly" is no action')
  await expect(explain(registry, 'ann', 'moon:read', 'team')).rejects.toThrow('"moon" is no resource')
})

test('a refused request is found by its id for thirty days', async () => {
  const recorder = new Recorder(registry)
  const denial = {
    principal: 'ann',
    asked: 'PUT /v2/team/app',
    rule: 'needs developer',
    requestId: 'r-77',
    client: 'docker',
  }
  recorder.denial(denial)
  await recorder.flush()
  expect(await findDenial(registry, 'r-77')).toMatchObject(denial)
  expect(await findDenial(registry, 'r-78')).toBeUndefined()
})
