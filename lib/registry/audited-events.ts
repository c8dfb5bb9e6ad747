// Events as entries of the audit log: what pushes and deletions did, noted when they are relayed.
import { auditWrites } from './audit-log.ts'
import { isAudited } from './audited-operations.ts'
import type { Configuration } from './configuration.ts'
import type { EventType } from './outbox.ts'
import type { Item, Write } from './ports.ts'
import { number, type Registry, text } from './registry.ts'

interface Words {
  operation: string
  resourceType: string
  /** What the description begins with, which is no longer than Harbor's. */
  verb: string
}

const WORDS: Record<EventType, Words> = {
  'manifest.pushed': { operation: 'create', resourceType: 'artifact', verb: 'push' },
  'manifest.deleted': { operation: 'delete', resourceType: 'artifact', verb: 'delete' },
  'tag.moved': { operation: 'create', resourceType: 'artifact', verb: 'push' },
  'tag.deleted': { operation: 'delete', resourceType: 'tag', verb: 'delete' },
  'repository.deleted': { operation: 'delete', resourceType: 'repository', verb: 'delete' },
  'repository.restored': { operation: 'create', resourceType: 'repository', verb: 'restore' },
}
/** By the API, apart from a push. */
const TAGGED: Words = { operation: 'create', resourceType: 'tag', verb: 'create' }

/** Part of the transaction that relays the event, so that each is noted once. */
export function auditOfEvent(registry: Registry, event: Item, configuration: Configuration): Write[] {
  const [type, cause] = [text(event, 'type') as EventType, text(event, 'cause')]
  const { operation, resourceType, verb } = type === 'tag.moved' && cause === 'tag' ? TAGGED : WORDS[type]
  const { resource, described } = namesIn(event, type, resourceType)
  if (!isAudited(configuration, { operation, resourceType, resource })) return []
  return auditWrites(
    registry,
    {
      atMs: number(event, 'atMs'),
      principal: text(event, 'principal'),
      operation,
      resourceType,
      resource,
      description: `${cause === 'undo' ? 'restore' : verb} ${resourceType}: ${described}`,
      succeeded: true,
      requestId: text(event, 'requestId'),
      projectId: text(event, 'project'),
    },
    event.sk,
  )
}

/** As Harbor does: a push by its first tag, described by its digest; a deletion of an artifact by the digest, however tagged. */
function namesIn(
  event: Item,
  type: EventType,
  resourceType: string,
): { resource: string; described: string } {
  const { digest, tags } = event.attributes as { digest?: string; tags?: string[] }
  const name = text(event, 'name')
  if (resourceType === 'repository') return { resource: name, described: name }
  const byDigest = `${name}@${digest}`
  const byTag = tags?.[0] === undefined ? byDigest : `${name}:${tags[0]}`
  if (resourceType === 'tag') return { resource: byTag, described: byTag }
  return { resource: type === 'manifest.deleted' ? byDigest : byTag, described: byDigest }
}
