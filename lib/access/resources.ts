// What can be asked for, and the scope grammar of the token endpoint: `type[(class)]:name:action[,action]*`.
import { RegistryError } from '../oci/errors.ts'

export interface ResourceActions {
  type: string
  name: string
  actions: string[]
  /** In tokens: the project's id, which a later project of the same name does not have. */
  projectId?: string
}

const SCOPES_LIMIT = 100
const TEXT_LIMIT = 4096
const SCOPE = /^([a-z]+)(?:\([a-z0-9]+\))?:([^\s]+):([a-z*]+(?:,[a-z*]+)*)$/

/**
 * @param parameters every `scope` parameter; each may hold several scopes
 * @throws REQUEST_INVALID
 */
export function parseScopes(parameters: string[]): ResourceActions[] {
  const text = parameters.join(' ')
  if (text.length > TEXT_LIMIT) throw invalid(`the scopes are longer than ${TEXT_LIMIT} characters`)
  const scopes = text.split(' ').filter((scope) => scope !== '')
  if (scopes.length > SCOPES_LIMIT) throw invalid(`${scopes.length} scopes: at most ${SCOPES_LIMIT}`)
  const merged = new Map<string, ResourceActions>()
  for (const scope of scopes) {
    const match = SCOPE.exec(scope)
    if (!match)
      throw invalid(`${JSON.stringify(scope.slice(0, 200))} is no scope: expected type:name:action,action`)
    const [, type, name, actions] = match as unknown as [string, string, string, string]
    const known = merged.get(`${type}:${name}`) ?? { type, name, actions: [] }
    known.actions = [...new Set([...known.actions, ...expanded(type, actions.split(','))])]
    merged.set(`${type}:${name}`, known)
  }
  return [...merged.values()]
}

function expanded(type: string, actions: string[]): string[] {
  return type === 'repository' && actions.includes('*') ? ['pull', 'push', 'delete'] : actions
}

export function formatScopes(resources: ResourceActions[]): string {
  return resources.map(({ type, name, actions }) => `${type}:${name}:${actions.join(',')}`).join(' ')
}

function invalid(why: string): RegistryError {
  return new RegistryError('REQUEST_INVALID', `invalid scope: ${why}`)
}
