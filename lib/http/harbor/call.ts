// One request of the management API: routed, and its sender known. What handlers ask of it.
import type { Access } from '../../access/access.ts'
import { decideInProject, decideInSystem, readStanding, type Standing } from '../../access/permissions.ts'
import type { Principal } from '../../access/principal.ts'
import type { Jobs } from '../../jobs/executions.ts'
import { RegistryError } from '../../oci/errors.ts'
import type { Upstreams } from '../../registries/upstreams.ts'
import { projectNameOf } from '../../registry/project-numbers.ts'
import type { Project } from '../../registry/projects.ts'
import type { Recorder } from '../../registry/recorder.ts'
import type { Actor, Registry } from '../../registry/registry.ts'
import type { HttpRequest, HttpResponse } from '../message.ts'

export interface HarborCall {
  registry: Registry
  recorder: Recorder
  access: Access
  upstreams: Upstreams
  /** PEM of the private authority that signed our certificate. */
  authority: string | undefined
  jobs: Jobs
  request: HttpRequest
  principal: Principal
  actor: Actor
  /** Of the path, decoded, by the names in the route's pattern. */
  params: Readonly<Record<string, string>>
}

export interface HarborRoute {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below /api/v2.0, with `{names}`; `{repository}` may hold slashes. */
  path: string
  /** What the operation is called, where Harbor has none. */
  own?: string
  run(call: HarborCall): Promise<HttpResponse>
}

/** @throws UNAUTHORIZED for anonymous callers */
export function requireLogin({ principal }: HarborCall): void {
  if (principal.kind === 'anonymous') throw new RegistryError('UNAUTHORIZED', 'unauthorized: log in first')
}

/** @throws UNAUTHORIZED for anonymous callers, DENIED for others without the right */
export function requireSystem(call: HarborCall, resource: string, action: string): void {
  const { allowed, why } = decideInSystem(call.principal, resource, action)
  noteUse(call, `${resource}:/:${action}`, allowed)
  if (!allowed) throw refused(call, why)
}

/**
 * The project of the path (`{project}`, a name or number), if the caller may do that in it.
 * @throws UNAUTHORIZED for anonymous callers; DENIED for others, whether it exists or not; NOT_FOUND for administrators
 */
export async function requireProject(
  call: HarborCall,
  resource: string,
  action: string,
  given = call.params.project!,
): Promise<Project> {
  const name = await projectNameOf(call.registry, given, call.request.headers['x-is-resource-name'])
  return projectIfAllowed(call, resource, action, name, given)
}

/** The same for a project whose name stands in the body. */
export function requireProjectNamed(
  call: HarborCall,
  resource: string,
  action: string,
  name: string,
): Promise<Project> {
  return projectIfAllowed(call, resource, action, name, name)
}

/** The same for a project whose number stands in the body, or in what was kept. */
export async function requireProjectNumbered(
  call: HarborCall,
  resource: string,
  action: string,
  number: number,
): Promise<Project> {
  const name = await projectNameOf(call.registry, String(number), 'false')
  return projectIfAllowed(call, resource, action, name, String(number))
}

/** @param name undefined: no project has the number that was given */
async function projectIfAllowed(
  call: HarborCall,
  resource: string,
  action: string,
  name: string | undefined,
  given: string,
): Promise<Project> {
  const standing: Standing =
    name === undefined
      ? { projectName: given, roles: [] }
      : await readStanding(call.registry, call.principal, name)
  const { allowed, why } = decideInProject(call.principal, standing, resource, action)
  noteUse(call, `${resource}:${name ?? given}:${action}`, allowed)
  if (!allowed) throw refused(call, why)
  if (!standing.project) throw new RegistryError('NOT_FOUND', `project ${given} not found`)
  return standing.project
}

/** Whether the caller may do that in the project, without a refusal. */
export async function mayInProject(
  call: HarborCall,
  project: string,
  resource: string,
  action: string,
): Promise<boolean> {
  const standing = await readStanding(call.registry, call.principal, project)
  return decideInProject(call.principal, standing, resource, action).allowed
}

/** So that it can be seen which of its rights a robot never uses. */
function noteUse({ principal, recorder }: HarborCall, what: string, allowed: boolean): void {
  if (principal.kind === 'robot') recorder.access(principal.name, what, allowed)
}

export function refused({ principal }: HarborCall, why: string): RegistryError {
  if (principal.kind === 'anonymous') return new RegistryError('UNAUTHORIZED', `unauthorized: ${why}`)
  return new RegistryError('DENIED', why, { principal: principal.name })
}
