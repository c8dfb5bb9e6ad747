// What a webhook tells of an event: Harbor's payload (goharbor/harbor src/pkg/notifier/model/event.go).
import { keys, partitions } from '../registry/keys.ts'
import type { Attributes, Json } from '../registry/ports.ts'
import type { Project } from '../registry/projects.ts'
import type { Registry } from '../registry/registry.ts'
import type { RegistryEvent } from './event.ts'
import type { WebhookEvent } from './webhook-events.ts'
import type { WebhookPolicy } from './webhook-policy.ts'

export interface Notification {
  event: WebhookEvent
  /** The same each time it is told, and to all. */
  id: string
  occurAtSeconds: number
  operator: string
  requestId: string
  /** `/projects/<number>/webhook/policies/<number>`. */
  source: string
  eventData: Attributes
}

/** An artifact the event is about, by one of its tags or, without one, by its digest. */
interface Resource {
  digest: string
  tag?: string
}

/** What payloads of one event share, whoever is told. */
export interface EventContext {
  event: RegistryEvent
  project: Project
  /** When its repository was made, where it is still there. */
  repositoryCreatedAtMs: number | undefined
  resources: Resource[]
}

/** A deleted repository's artifacts are named up to that many. */
const RESOURCES_LIMIT = 100

export async function contextOf(
  registry: Registry,
  project: Project,
  event: RegistryEvent,
): Promise<EventContext> {
  const { repository, repositoryId } = event
  const item = repositoryId === '' ? undefined : await registry.metadata.get(keys.repository(repository))
  const createdAtMs = item?.attributes.id === repositoryId ? item.attributes.createdAtMs : undefined
  return {
    event,
    project,
    repositoryCreatedAtMs: createdAtMs as number | undefined,
    resources: await resourcesOf(registry, event),
  }
}

async function resourcesOf(registry: Registry, event: RegistryEvent): Promise<Resource[]> {
  const { type, digest, tags, repositoryId } = event
  if (digest !== undefined)
    return tags.length === 0 ? [{ digest }] : tags.slice(0, RESOURCES_LIMIT).map((tag) => ({ digest, tag }))
  if (type !== 'repository.deleted') return []
  const range = { pk: partitions.manifests(repositoryId), limit: RESOURCES_LIMIT, reverse: true }
  const listed = await registry.metadata.query(range)
  return listed.map(({ sk }) => ({ digest: sk.slice(sk.indexOf('#') + 1) }))
}

/** @param resources those of the event that the policy wants to hear of */
export function notificationOf(
  kind: WebhookEvent,
  { event, project, repositoryCreatedAtMs }: EventContext,
  resources: Resource[],
  { number, origin }: WebhookPolicy,
  details: Attributes = event.details,
): Notification {
  const { host } = hostOf(origin)
  const name = event.repository.slice(event.project.length + 1)
  const isQuota = kind === 'QUOTA_EXCEED' || kind === 'QUOTA_WARNING'
  const repository: Attributes = {
    ...(repositoryCreatedAtMs === undefined || isQuota
      ? {}
      : { date_created: Math.floor(repositoryCreatedAtMs / 1000) }),
    name,
    namespace: event.project,
    repo_full_name: event.repository,
    repo_type: project.public ? 'public' : 'private',
  }
  // What a scan found or made stands beside the artifact.
  const { scan_overview, sbom_overview, ...others } = details
  const named = resources.map((resource) => ({
    ...resourceView(resource, event.repository, isQuota ? '' : host),
    ...(scan_overview === undefined ? {} : { scan_overview }),
    ...(sbom_overview === undefined ? {} : { sbom_overview }),
  }))
  return {
    event: kind,
    id: `${event.id}.${kind}`,
    occurAtSeconds: Math.floor(event.atMs / 1000),
    operator: event.principal,
    requestId: event.requestId,
    source: `/projects/${project.number}/webhook/policies/${number}`,
    eventData:
      kind === 'REPLICATION'
        ? replicationData(details, origin)
        : {
            ...(named.length === 0 ? {} : { resources: named }),
            ...(name === '' ? {} : { repository }),
            ...others,
          },
  }
}

/** A replication is all that is told of one; with this registry's address, as the policy knows it. */
function replicationData({ replication }: Attributes, origin: string): Attributes {
  const told = replication as Attributes
  const addressed = (side: Json | undefined): Json => {
    const resource = side as Attributes
    return resource.endpoint === undefined ? { ...resource, endpoint: origin } : resource
  }
  return {
    replication: {
      harbor_hostname: hostOf(origin).hostname,
      ...told,
      src_resource: addressed(told.src_resource),
      dest_resource: addressed(told.dest_resource),
    },
  }
}

/** Nobody knew the address when a command line without a server brought the policy. */
function hostOf(origin: string): Pick<URL, 'host' | 'hostname'> {
  return URL.canParse(origin) ? new URL(origin) : { host: '', hostname: '' }
}

/** As Harbor names them: an artifact without a tag has its digest for one. Quota events name no URL. */
function resourceView({ digest, tag }: Resource, repository: string, host: string): Attributes {
  const reference = tag === undefined ? `@${digest}` : `:${tag}`
  return {
    digest,
    tag: tag ?? digest,
    ...(host === '' ? {} : { resource_url: `${host}/${repository}${reference}` }),
  }
}

/** Harbor's message for a project that is nearly full. */
export function quotaWarning(usedBytes: number, quotaBytes: number, percent: number): Attributes {
  const why = `quota usage reach ${percent}%: resource storage used ${usedBytes} B of ${quotaBytes} B`
  return { custom_attributes: { Details: why } }
}
