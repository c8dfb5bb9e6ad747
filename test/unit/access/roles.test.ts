// Our table of roles against Harbor's own, in both directions.
import { expect, test } from 'vitest'
import { PROJECT_PERMISSIONS, SYSTEM_PERMISSIONS } from '../../../lib/access/robot-permissions.ts'
import { leastRole, may, mayAnybody, type ProjectResource, ROLES } from '../../../lib/access/roles.ts'
import {
  HARBOR_PUBLIC,
  HARBOR_ROBOT_PROJECT,
  HARBOR_ROBOT_SYSTEM,
  HARBOR_ROLES,
  rulesIn,
} from './harbor-roles.ts'

const ACTIONS = [
  ...['create', 'read', 'update', 'delete', 'list'],
  ...['pull', 'push', 'operate', 'stop', 'scanner-pull', '*', ''],
]

const rulesOf = (role: string) => rulesIn(HARBOR_ROLES[role]!)

/** The compiler keeps this to the resources of our table, a test to Harbor's. */
const RESOURCES: Record<ProjectResource, true> = {
  project: true,
  member: true,
  metadata: true,
  log: true,
  label: true,
  quota: true,
  repository: true,
  artifact: true,
  'artifact-addition': true,
  'artifact-label': true,
  tag: true,
  accessory: true,
  'tag-retention': true,
  'immutable-tag': true,
  configuration: true,
  robot: true,
  'notification-policy': true,
  scan: true,
  sbom: true,
  scanner: true,
  'preheat-policy': true,
  'export-cve': true,
}
const resources = Object.keys(RESOURCES) as ProjectResource[]

test('the roles and the resources are Harbor’s, no more and no fewer', () => {
  expect([...ROLES].sort()).toEqual(Object.keys(HARBOR_ROLES).sort())
  const named = ROLES.flatMap((role) => rulesOf(role).map((rule) => rule.split(' ')[0]))
  expect([...resources].sort()).toEqual([...new Set(named)].sort())
})

test.each(ROLES)('a %s may do exactly what it may do in Harbor, on every resource', (role) => {
  const allowed = resources.flatMap((resource) =>
    ACTIONS.filter((action) => may(role, resource, action)).map((action) => `${resource} ${action}`),
  )
  expect(allowed.sort()).toEqual(rulesOf(role).sort())
})

test('everybody may in public projects, and robots can be given, exactly what Harbor says', () => {
  const anybody = resources.flatMap((resource) =>
    ACTIONS.filter((action) => mayAnybody(resource, action)).map((action) => `${resource} ${action}`),
  )
  expect(anybody.sort()).toEqual(rulesIn(HARBOR_PUBLIC).sort())
  const rules = (table: Record<string, string[]>) =>
    Object.entries(table).flatMap(([resource, actions]) => actions.map((action) => `${resource} ${action}`))
  expect(rules(PROJECT_PERMISSIONS).sort()).toEqual(rulesIn(HARBOR_ROBOT_PROJECT).sort())
  expect(rules(SYSTEM_PERMISSIONS).sort()).toEqual(rulesIn(HARBOR_ROBOT_SYSTEM).sort())
})

test('the numbers of rules are those Harbor 2.14 has', () => {
  expect(ROLES.map((role) => rulesOf(role).length)).toEqual([14, 20, 36, 53, 75])
})

test('a role may do all that the roles below it may', () => {
  for (const [at, role] of ROLES.entries())
    expect(rulesOf(role)).toEqual(expect.arrayContaining(at === 0 ? [] : rulesOf(ROLES[at - 1]!)))
})

test('the least role for an action is the one to ask for', () => {
  expect(leastRole('repository', 'pull')).toBe('limitedGuest')
  expect(leastRole('repository', 'push')).toBe('developer')
  expect(leastRole('repository', 'delete')).toBe('maintainer')
  expect(leastRole('repository', 'fly')).toBeUndefined()
})
