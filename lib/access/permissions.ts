// Who may do what: one function decides, from Harbor's roles, a robot's permissions, or what everybody may; and says why.
import { projectOf } from '../oci/reference.ts'
import { keys } from '../registry/keys.ts'
import { type Project, projectIn } from '../registry/projects.ts'
import type { Registry } from '../registry/registry.ts'
import { memberOf } from './members.ts'
import type { Principal } from './principal.ts'
import type { ResourceActions } from './resources.ts'
import { isProjectResource, leastRole, may, mayAnybody, ROLES, type Role } from './roles.ts'

export interface Decision {
  allowed: boolean
  /** The rule, in words, for whoever was refused. */
  why: string
}

/** What somebody is to a project: all that decisions about it need. */
export interface Standing {
  projectName: string
  /** Absent when there is no such project. */
  project?: Project
  /** As a member or through groups; the first is the one that counts for most. */
  roles: Role[]
}

/** One read, whoever asks. */
export async function readStanding(
  registry: Registry,
  principal: Principal,
  projectName: string,
): Promise<Standing> {
  const own = principal.kind === 'user' ? [keys.member(projectName, 'user', principal.number)] : []
  const groups = principal.groups.map((each) => keys.member(projectName, 'group', each))
  const [item, ...members] = await registry.metadata.batchGet([
    keys.project(projectName),
    ...(principal.admin ? [] : [...own, ...groups].slice(0, 99)),
  ])
  const project = item && projectIn(item, projectName)
  if (!project) return { projectName, roles: [] }
  const held = members.flatMap((each) =>
    each?.attributes.projectId === project.id ? [memberOf(each).role] : [],
  )
  return { projectName, project, roles: ROLES.filter((role) => held.includes(role)).reverse() }
}

/** @param resource Harbor's: `repository`, `member`, … and `project` for the project itself */
export function decideInProject(
  principal: Principal,
  standing: Standing,
  resource: string,
  action: string,
): Decision {
  const { projectName, project, roles } = standing
  if (principal.admin) return { allowed: true, why: 'administrators may everything' }
  if (project?.public && mayAnybody(resource, action))
    return { allowed: true, why: `${projectName} is public` }
  // From here on the same words whether the project is missing or hidden: its name is nobody's business.
  if (principal.kind === 'robot') {
    const given = principal.permissions.find(
      ({ kind, namespace, projectId, access }) =>
        kind === 'project' &&
        (namespace === '*' || (namespace === projectName && projectId === project?.id)) &&
        access.some((each) => each.resource === resource && each.action === action),
    )
    if (given && project)
      return { allowed: true, why: `the robot has ${resource}:${action} in ${given.namespace}` }
    return { allowed: false, why: `the robot was not given ${resource}:${action} in project ${projectName}` }
  }
  const role = isProjectResource(resource) ? roles.find((each) => may(each, resource, action)) : undefined
  if (role) return { allowed: true, why: `${principal.name} has the role ${role} in ${projectName}` }
  return { allowed: false, why: refusal(principal, projectName, resource, action, roles) }
}

function refusal(
  principal: Principal,
  projectName: string,
  resource: string,
  action: string,
  roles: Role[],
): string {
  if (principal.kind === 'anonymous')
    return `without login only public projects can be pulled from, and ${projectName} is none`
  const needed = isProjectResource(resource) ? leastRole(resource, action) : undefined
  const has = roles.length > 0 ? `has the role ${roles[0]}` : 'has no role'
  if (!needed)
    return `${principal.name} ${has} in project ${projectName}: only administrators may ${action} ${resource}`
  return `${principal.name} ${has} in project ${projectName}: ${resource} ${action} needs ${needed} (entrepot member add ${projectName} ${principal.name} --role ${needed})`
}

/** On the whole registry. */
export function decideInSystem(principal: Principal, resource: string, action: string): Decision {
  if (principal.admin) return { allowed: true, why: 'administrators may everything' }
  const given = principal.permissions.some(
    ({ kind, access }) =>
      kind === 'system' && access.some((each) => each.resource === resource && each.action === action),
  )
  if (given) return { allowed: true, why: `the robot has ${resource}:${action}` }
  return { allowed: false, why: `only administrators, and robots given it, may ${action} ${resource}` }
}

export interface Grant extends Decision {
  actions: string[]
  projectId?: string
}

const REPOSITORY_ACTIONS = ['pull', 'push', 'delete']

/** What of the actions asked for a token may say. */
export async function grantedActions(
  registry: Registry,
  principal: Principal,
  { type, name, actions }: ResourceActions,
): Promise<Grant> {
  if (type === 'registry' && name === 'catalog') {
    const decision = decideInSystem(principal, 'catalog', 'read')
    const granted = decision.allowed ? actions.filter((action) => action === '*') : []
    return { ...decision, actions: granted, why: 'only administrators may list the whole catalog' }
  }
  if (type !== 'repository')
    return { allowed: false, actions: [], why: `there is no resource of type ${type}` }
  const standing = await readStanding(registry, principal, projectOf(name))
  const granted: string[] = []
  let why = ''
  for (const action of actions) {
    const decision = REPOSITORY_ACTIONS.includes(action)
      ? decideInProject(principal, standing, 'repository', action)
      : { allowed: false, why: `there is no action ${action} on repositories` }
    if (decision.allowed) granted.push(action)
    else why = decision.why // the last one asks for most: a push is asked for after its pull
  }
  const { project } = standing
  return {
    allowed: why === '',
    actions: granted,
    why,
    // A token can be read: with nothing granted it must not tell that there is such a project.
    ...(project && granted.length > 0 ? { projectId: project.id } : {}),
  }
}
