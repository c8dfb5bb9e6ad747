// The kinds of events Harbor's webhooks tell of, and which of them an event of ours is.
import type { EventType, NoticeType } from '../registry/outbox.ts'
import type { RegistryEvent } from './event.ts'

/** By Harbor's name: what its CloudEvents are called. */
export const WEBHOOK_EVENTS = {
  PUSH_ARTIFACT: 'harbor.artifact.pushed',
  PULL_ARTIFACT: 'harbor.artifact.pulled',
  DELETE_ARTIFACT: 'harbor.artifact.deleted',
  QUOTA_EXCEED: 'harbor.quota.exceeded',
  QUOTA_WARNING: 'harbor.quota.warned',
  SCANNING_FAILED: 'harbor.scan.failed',
  SCANNING_STOPPED: 'harbor.scan.stopped',
  SCANNING_COMPLETED: 'harbor.scan.completed',
  REPLICATION: 'harbor.replication.status.changed',
  TAG_RETENTION: 'harbor.tag_retention.finished',
} as const

export type WebhookEvent = keyof typeof WEBHOOK_EVENTS

export function isWebhookEvent(name: string): name is WebhookEvent {
  return Object.hasOwn(WEBHOOK_EVENTS, name)
}

/** A warning is a matter of what the push has left of the quota. Tags and repositories that come and go have no kind. */
const KINDS: Record<EventType, WebhookEvent[]> = {
  'manifest.pushed': ['PUSH_ARTIFACT', 'QUOTA_WARNING'],
  'manifest.deleted': ['DELETE_ARTIFACT'],
  'manifest.pulled': ['PULL_ARTIFACT'],
  'tag.moved': ['PUSH_ARTIFACT'],
  'tag.deleted': [],
  'repository.deleted': ['DELETE_ARTIFACT'],
  'repository.restored': [],
  'quota.exceeded': ['QUOTA_EXCEED'],
  'replication.begun': ['REPLICATION'],
  'replication.ended': ['REPLICATION'],
  'retention.ended': ['TAG_RETENTION'],
  'scan.completed': ['SCANNING_COMPLETED'],
  'scan.failed': ['SCANNING_FAILED'],
  'scan.stopped': ['SCANNING_STOPPED'],
}

/** A tag that was set over the API is no push. */
export function webhookEventsOf({ type, cause }: RegistryEvent): WebhookEvent[] {
  return type === 'tag.moved' && cause === 'tag' ? [] : KINDS[type]
}

/** Events that are made only for projects whose policies ask for them. */
const NOTICES: Partial<Record<WebhookEvent, NoticeType>> = {
  PULL_ARTIFACT: 'manifest.pulled',
  QUOTA_EXCEED: 'quota.exceeded',
  REPLICATION: 'replication.ended',
  SCANNING_COMPLETED: 'scan.completed',
  SCANNING_FAILED: 'scan.failed',
  SCANNING_STOPPED: 'scan.stopped',
}

export function noticesFor(events: readonly WebhookEvent[]): NoticeType[] {
  const found = events.map((event) => NOTICES[event]).filter((notice) => notice !== undefined)
  return [...new Set(found)].sort()
}
