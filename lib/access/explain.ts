// Explaining: whether somebody may do something and by which rule, or why a request was refused.
import { RegistryError } from '../oci/errors.ts'
import { projectOf } from '../oci/reference.ts'
import { dayOf, partitions } from '../registry/keys.ts'
import { pagesOf } from '../registry/partitions.ts'
import type { Registry } from '../registry/registry.ts'
import { type Decision, decideInProject, decideInSystem, readStanding } from './permissions.ts'
import { ANONYMOUS, type Principal } from './principal.ts'
import { findLogin } from './principals.ts'
import { isProjectResource } from './roles.ts'

const DENIALS_KEPT_DAYS = 30
const REPOSITORY_ACTIONS = ['pull', 'push', 'delete']

export interface Explanation extends Decision {
  principal: string
  /** As Harbor names it. */
  resource: string
  action: string
}

/**
 * @param action `push`, or with its resource: `member:create`
 * @param on a repository (`library/app`), a project (`library`), or `/` for the whole registry
 * @throws REQUEST_INVALID when there is no such resource; NOT_FOUND when nobody is called that
 */
export async function explain(
  registry: Registry,
  name: string,
  action: string,
  on: string,
): Promise<Explanation> {
  const [resource, verb] = parsed(action)
  const login = name === ANONYMOUS.name ? undefined : await findLogin(registry, name)
  if (!login && name !== ANONYMOUS.name)
    throw new RegistryError(
      'NOT_FOUND',
      `nobody here is called ${name}; ${ANONYMOUS.name} is who does not log in`,
    )
  const principal: Principal = login?.principal ?? ANONYMOUS
  const asked = { principal: principal.name, resource, action: verb }
  if (login?.refused)
    return { ...asked, allowed: false, why: `${principal.name} is ${login.refused} and cannot log in` }
  if (on === '/') return { ...asked, ...decideInSystem(principal, resource, verb) }
  if (!isProjectResource(resource))
    throw new RegistryError('REQUEST_INVALID', `${JSON.stringify(resource)} is no resource of projects`)
  const projectName = on.includes('/') ? projectOf(on) : on
  const standing = await readStanding(registry, principal, projectName)
  const decision = decideInProject(principal, standing, resource, verb)
  // Told here, where an administrator asks, and nowhere else.
  if (!standing.project) return { ...asked, allowed: false, why: `there is no project ${projectName}` }
  return { ...asked, ...decision }
}

function parsed(action: string): [resource: string, verb: string] {
  const at = action.indexOf(':')
  if (at > 0) return [action.slice(0, at), action.slice(at + 1)]
  if (REPOSITORY_ACTIONS.includes(action)) return ['repository', action]
  throw new RegistryError(
    'REQUEST_INVALID',
    `${JSON.stringify(action)} is no action: ${REPOSITORY_ACTIONS.join(', ')}, or resource:action such as member:create`,
  )
}

export interface Denial {
  atMs: number
  principal: string
  asked: string
  rule: string
  requestId: string
  client: string
}

/** A request of the last 30 days that was refused. @returns undefined when none with that id was */
export async function findDenial(registry: Registry, requestId: string): Promise<Denial | undefined> {
  const today = dayOf(registry.clock.nowMs())
  for (let day = today; day >= today - DENIALS_KEPT_DAYS; day--)
    for await (const page of pagesOf(registry.metadata, { pk: partitions.denials(day) }))
      for (const { attributes } of page) {
        const lines = attributes.lines as unknown as Denial[]
        const found = lines.find((line) => line.requestId === requestId)
        if (found) return found
      }
  return undefined
}
