// Events as entries of the audit log: what pushes and deletions did, noted when they are relayed.
import { auditWrites } from './audit-log.ts'
import type { ChangeType } from './outbox.ts'
import type { Item, Write } from './ports.ts'
import { number, type Registry, text } from './registry.ts'

const WORDS: Record<ChangeType, [operation: string, resourceType: string]> = {
  'manifest.pushed': ['create', 'artifact'],
  'manifest.deleted': ['delete', 'artifact'],
  'tag.moved': ['create', 'tag'],
  'tag.deleted': ['delete', 'tag'],
  'repository.deleted': ['delete', 'repository'],
  'repository.restored': ['create', 'repository'],
}

/** Part of the transaction that relays the change, so that each is noted once. */
export function auditOfEvent(registry: Registry, event: Item): Write[] {
  const words = WORDS[text(event, 'type') as ChangeType]
  const [operation, resourceType] = words
  const { digest, tags } = event.attributes as { digest?: string; tags?: string[] }
  const name = text(event, 'name')
  const tag = tags?.[0]
  const resource =
    resourceType === 'repository' || (!tag && !digest) ? name : tag ? `${name}:${tag}` : `${name}@${digest}`
  return auditWrites(
    registry,
    {
      atMs: number(event, 'atMs'),
      principal: text(event, 'principal'),
      operation,
      resourceType,
      resource,
      description: `${operation} ${resourceType} ${resource} (${text(event, 'cause')})`,
      succeeded: true,
      requestId: text(event, 'requestId'),
      projectId: text(event, 'project'),
    },
    event.sk,
  )
}
