// Who may do what. Roles and robots join here; this one function decides, and says why.
import { projectOf } from '../oci/reference.ts'
import { findProject } from '../registry/projects.ts'
import type { Registry } from '../registry/registry.ts'
import type { ResourceActions } from './resources.ts'

export interface Principal {
  name: string
  kind: 'user' | 'anonymous' | 'open'
  admin: boolean
}

export const ANONYMOUS: Principal = { name: 'anonymous', kind: 'anonymous', admin: false }
export const OPEN: Principal = { name: 'anonymous', kind: 'open', admin: true }

export interface Grant {
  actions: string[]
  projectId?: string
  /** The rule, in words, for whoever was refused. */
  why: string
}

const REPOSITORY_ACTIONS = ['pull', 'push', 'delete']

export async function grantedActions(
  registry: Registry,
  principal: Principal,
  resource: ResourceActions,
): Promise<Grant> {
  if (resource.type === 'registry' && resource.name === 'catalog') {
    const actions = principal.admin ? ['*'] : []
    return { actions: asked(resource, actions), why: 'only administrators may list the whole catalog' }
  }
  if (resource.type !== 'repository')
    return { actions: [], why: `there is no resource of type ${resource.type}` }
  const projectName = projectOf(resource.name)
  const project = await findProject(registry, projectName)
  const id = project ? { projectId: project.id } : {}
  if (principal.admin)
    return {
      actions: asked(resource, REPOSITORY_ACTIONS),
      ...id,
      why: 'administrators may pull, push and delete',
    }
  const why = `without login only public projects can be pulled from; project ${projectName} is ${project?.public ? 'public' : 'not'}`
  return { actions: asked(resource, project?.public ? ['pull'] : []), ...id, why }
}

function asked(resource: ResourceActions, allowed: string[]): string[] {
  return resource.actions.filter((action) => allowed.includes(action))
}
