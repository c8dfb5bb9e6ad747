// Which repository of which upstream a name stands for, and by which rules it is cached.
import { RegistryError } from '../oci/errors.ts'
import { projectOf } from '../oci/reference.ts'
import { requireRemoteRegistry } from '../registries/remote-registry.ts'
import type { Upstreams } from '../registries/upstreams.ts'
import { matchesAny } from '../registry/name-patterns.ts'
import { findProject, type Project } from '../registry/projects.ts'
import type { Registry } from '../registry/registry.ts'
import type { Upstream } from '../upstream/upstream.ts'

export interface ProxiedRepository {
  project: Project
  registryId: number
  upstream: Upstream
  /** Its whole name here, which differs from the one asked for where the upstream has a namespace of its own. */
  name: string
  /** Its name there. */
  repository: string
  rules: ProxyRules
}

export interface ProxyRules {
  /** What is cached counts, whatever the upstream has by now. */
  localFirst: boolean
  /** How long a tag is not compared with its upstream again. */
  freshMs: number
  /** 0 or less: no limit. */
  bytesPerSecond: number
  /** At once, of one process; 0 or less: no limit. */
  connections: number
}

const FRESH_SECONDS = 60

/**
 * @returns undefined where the name's project is no cache
 * @throws NAME_UNKNOWN when the project's rules exclude the repository; UpstreamError when there is no login to be had
 */
export async function proxiedRepository(
  registry: Registry,
  upstreams: Upstreams,
  name: string,
): Promise<ProxiedRepository | undefined> {
  const projectName = projectOf(name)
  const asked = name.slice(projectName.length + 1)
  const project = asked === '' ? undefined : await findProject(registry, projectName)
  if (project?.registryId === undefined) return undefined
  const { registryId } = project
  const upstream = await upstreams.open(await requireRemoteRegistry(registry, registryId))
  const repository = upstream.at(asked)
  refuseExcluded(project, repository)
  const rules = rulesOf(project)
  return { project, registryId, upstream, name: `${projectName}/${repository}`, repository, rules }
}

/** @throws NAME_UNKNOWN */
function refuseExcluded({ name, metadata }: Project, repository: string): void {
  const { proxy_cache_filter_pattern: wanted, proxy_cache_deny_pattern: denied } = metadata
  const excluded = (wanted && !matchesAny(wanted, repository)) || (denied && matchesAny(denied, repository))
  if (excluded)
    throw new RegistryError(
      'NAME_UNKNOWN',
      `repository ${repository} does not match the patterns of what project ${name} may fetch`,
    )
}

function rulesOf({ metadata }: Project): ProxyRules {
  const number = (name: string, usual: number) => {
    const value = Number(metadata[name] ?? usual)
    return Number.isFinite(value) ? value : usual
  }
  return {
    localFirst: metadata.proxy_local_first === 'true',
    freshMs: Math.max(0, number('proxy_fresh_seconds', FRESH_SECONDS)) * 1000,
    bytesPerSecond: number('proxy_speed_kb', -1) * 1024,
    connections: number('max_upstream_conn', -1),
  }
}
