import { expect, test } from 'vitest'
import { decideInProject, readStanding } from '../../lib/access/permissions.ts'
import { principalOfRobot } from '../../lib/access/principals.ts'
import { presentPermissions } from '../../lib/access/robot-scope.ts'
import { createRobot, deleteRobotsOf, listRobots, type NewRobot } from '../../lib/access/robots.ts'
import { deleteProject } from '../../lib/registry/project-changes.ts'
import { createProject } from '../../lib/registry/projects.ts'
import { ACTOR, testRegistry } from './registry.ts'

const access = [{ resource: 'repository', action: 'pull' }]
const body = (name: string, namespace: string): NewRobot => ({
  name,
  description: '',
  permissions: [{ kind: 'project', namespace, access }],
  durationDays: -1,
  createdBy: { kind: 'user', number: 1, name: 'admin' },
})

test('a robot’s rights are bound to the project: a later one of the same name is another', async () => {
  const registry = await testRegistry()
  const first = await createProject(registry, 'team', {}, ACTOR)
  const { robot } = await createRobot(registry, body('wide', 'team'))
  const mayPull = async () => {
    const principal = principalOfRobot(robot, 'robot$wide')
    const standing = await readStanding(registry, principal, 'team')
    return decideInProject(principal, standing, 'repository', 'pull').allowed
  }
  expect(await mayPull()).toBe(true)
  expect(await presentPermissions(registry, robot.permissions)).toHaveLength(1)
  await deleteProject(registry, first, ACTOR)
  expect(await presentPermissions(registry, robot.permissions)).toEqual([])
  await createProject(registry, 'team', {}, ACTOR)
  expect(await mayPull()).toBe(false)
  expect(await presentPermissions(registry, robot.permissions)).toEqual([])
})

test('the name of a robot is free again when its project is gone, also while the robot is not', async () => {
  const registry = await testRegistry()
  const first = await createProject(registry, 'team', {}, ACTOR)
  const inside = (project: { id: string; name: string }) => ({ ...body('ci', 'team'), project })
  await createRobot(registry, inside(first))
  await expect(createRobot(registry, inside(first))).rejects.toMatchObject({ code: 'CONFLICT' })
  await deleteProject(registry, first, ACTOR)
  const second = await createProject(registry, 'team', {}, ACTOR)
  const { robot } = await createRobot(registry, inside(second))
  expect(robot.project?.id).toBe(second.id)
  expect((await listRobots(registry)).map(({ number }) => number)).toEqual([robot.number])
  // The first project's deletion, finished late, leaves the second one's robot alone.
  await deleteRobotsOf(registry, first.id)
  await expect(createRobot(registry, inside(second))).rejects.toMatchObject({ code: 'CONFLICT' })
})
