// Robots in bodies and answers.
import type { RobotPermission } from '../../access/principal.ts'
import { presentPermissions } from '../../access/robot-scope.ts'
import type { Robot } from '../../access/robots.ts'
import { RegistryError } from '../../oci/errors.ts'
import type { Registry } from '../../registry/registry.ts'
import { time } from './answers.ts'
import { type Fields, objectsIn, textIn } from './body.ts'
import type { Row } from './lists.ts'

/** @throws REQUEST_INVALID */
export function levelIn(fields: Fields): Robot['level'] {
  const level = textIn(fields, 'level')
  if (level === 'project' || level === 'system') return level
  throw new RegistryError(
    'REQUEST_INVALID',
    `bad request error level input: ${level.slice(0, 40)}: expected project or system`,
  )
}

/** @throws REQUEST_INVALID, 422 */
export function permissionsIn(fields: Fields): RobotPermission[] {
  return objectsIn(fields, 'permissions').map((each) => {
    const kind = textIn(each, 'kind')
    if (kind !== 'project' && kind !== 'system')
      throw new RegistryError(
        'REQUEST_INVALID',
        `bad request permission level: ${kind.slice(0, 40)}: expected project or system`,
      )
    const access = objectsIn(each, 'access').map((given) => {
      const effect = textIn(given, 'effect')
      const right = { resource: textIn(given, 'resource'), action: textIn(given, 'action') }
      return effect === '' ? right : { ...right, effect }
    })
    return { kind, namespace: textIn(each, 'namespace'), access }
  })
}

/** As Harbor shows robots: the permissions as they were sent, and never the secret. @param prefix before its name */
export async function robotRow(registry: Registry, robot: Robot, prefix: string): Promise<Row> {
  const permissions = await presentPermissions(registry, robot.permissions)
  return {
    id: robot.number,
    name: `${prefix}${robot.name}`,
    description: robot.description || undefined,
    level: robot.level,
    duration: robot.durationDays,
    editable: true,
    disable: robot.disabled,
    expires_at: robot.expiresAtSeconds,
    permissions: permissions.map(({ projectId: _, ...permission }) => permission),
    creator_type: robot.createdBy.kind === 'user' ? 'local' : 'robot',
    creator_ref: robot.createdBy.number,
    creation_time: time(robot.createdAtMs),
    update_time: time(robot.updatedAtMs),
  }
}
