// What names, secrets and permissions of robots may be: Harbor's rules.
import { RegistryError } from '../oci/errors.ts'
import type { RobotPermission } from './principal.ts'
import { PROJECT_PERMISSIONS, SYSTEM_PERMISSIONS } from './robot-permissions.ts'

const NAME_LIMIT = 255
const NAME = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/
const NAMESPACES_LIMIT = 500

/** @throws REQUEST_INVALID */
export function checkRobotName(name: string): void {
  if (name.length > NAME_LIMIT || !NAME.test(name))
    throw invalid(
      `robot name ${JSON.stringify(name.slice(0, 80))} is not in lower case, digits and single separators . _ - between them, of at most ${NAME_LIMIT} characters`,
    )
}

/** @throws REQUEST_INVALID */
export function checkRobotSecret(secret: string): void {
  if (
    secret.length < 8 ||
    secret.length > 128 ||
    ![/[a-z]/, /[A-Z]/, /[0-9]/].every((kind) => kind.test(secret))
  )
    throw invalid(
      'the secret must be 8 to 128 characters long with at least 1 uppercase letter, 1 lowercase letter and 1 number',
    )
}

/**
 * @param project of a robot of level project: it gets rights there and nowhere else
 * @throws REQUEST_INVALID
 */
export function checkRobotPermissions(permissions: RobotPermission[], project: string | undefined): void {
  if (permissions.length === 0) throw invalid('bad request empty permission')
  if (permissions.length > NAMESPACES_LIMIT) throw invalid(`more than ${NAMESPACES_LIMIT} permissions`)
  for (const { kind, namespace, access } of permissions) {
    if (access.length === 0) throw invalid('bad request empty access')
    if (project !== undefined && (kind !== 'project' || namespace !== project))
      throw invalid('bad request permission of a project robot: it has rights in its own project only')
    if (kind === 'system' && namespace !== '/') throw invalid('the namespace of system permissions is /')
    const allowed = kind === 'system' ? SYSTEM_PERMISSIONS : PROJECT_PERMISSIONS
    for (const { resource, action } of access)
      if (!allowed[resource]?.includes(action))
        throw invalid(`bad request permission: ${resource}:${action} cannot be given to a robot of this kind`)
  }
}

function invalid(why: string): RegistryError {
  return new RegistryError('REQUEST_INVALID', why)
}
