// The audit log: who did what, and whether it worked, in Harbor's words. One entry for each action.
import { keys, partitions } from './keys.ts'
import { stableNumber } from './numbers.ts'
import { pagesBackwards } from './partitions.ts'
import type { Attributes, Item, Write } from './ports.ts'
import { type Actor, number, type Registry, text } from './registry.ts'

/** Harbor purges by a schedule; here entries end by themselves. */
const KEPT_DAYS = 90
const DAY_SECONDS = 86_400

export interface AuditEntry {
  atMs: number
  principal: string
  /** `create`, `delete`, `update`, `pull`, `login`, … */
  operation: string
  /** `project`, `artifact`, `user`, … */
  resourceType: string
  /** `library/app:v1`. */
  resource: string
  description: string
  succeeded: boolean
  requestId: string
  /** Of the project it happened in. */
  projectId?: string
}

export interface LoggedEntry extends AuditEntry {
  number: number
}

/** @param id fixed where the same action may be noted twice */
export function auditWrites(registry: Registry, entry: AuditEntry, id = registry.newId()): Write[] {
  const attributes: Attributes = { v: 1, ...entry }
  const expiresAtEpochSeconds = Math.floor(entry.atMs / 1000) + KEPT_DAYS * DAY_SECONDS
  const places = [
    keys.audit(monthOf(entry.atMs), entry.atMs, id),
    ...(entry.projectId === undefined ? [] : [keys.projectAudit(entry.projectId, entry.atMs, id)]),
  ]
  return places.map((key) => ({ kind: 'put', item: { ...key, attributes, expiresAtEpochSeconds } }))
}

/** Something that somebody did by the management API or a command, and that worked. */
export interface Deed {
  operation: 'create' | 'update' | 'delete'
  resourceType: string
  resource: string
  projectId?: string
}

/** Called once, when it is done. @param call who did it where: of the API, or of a command */
export async function noted(
  { registry, actor }: { registry: Registry; actor: Actor },
  deed: Deed,
): Promise<void> {
  const entry: AuditEntry = {
    ...deed,
    atMs: registry.clock.nowMs(),
    principal: actor.principal,
    description: `${deed.operation} ${deed.resourceType} ${deed.resource}`,
    succeeded: true,
    requestId: actor.requestId,
  }
  await registry.metadata.batchWrite(auditWrites(registry, entry))
}

/** Newest first: of one project, or of the whole registry. */
export async function* auditEntries(registry: Registry, projectId?: string): AsyncGenerator<LoggedEntry> {
  const now = registry.clock.nowMs()
  const oldest = now - KEPT_DAYS * DAY_SECONDS * 1000
  const places =
    projectId === undefined
      ? monthsBack(now, oldest).map(partitions.audit)
      : [partitions.projectAudit(projectId)]
  for (const pk of places)
    for await (const page of pagesBackwards(registry.metadata, { pk }))
      for (const item of page) if (number(item, 'atMs') >= oldest) yield entryOf(item)
}

function entryOf(item: Item): LoggedEntry {
  const { projectId } = item.attributes
  return {
    number: stableNumber(item.sk),
    atMs: number(item, 'atMs'),
    principal: text(item, 'principal'),
    operation: text(item, 'operation'),
    resourceType: text(item, 'resourceType'),
    resource: text(item, 'resource'),
    description: text(item, 'description'),
    succeeded: item.attributes.succeeded === true,
    requestId: text(item, 'requestId'),
    ...(projectId === undefined ? {} : { projectId: projectId as string }),
  }
}

/** `2026-11`, in UTC. */
function monthOf(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 7)
}

function monthsBack(fromMs: number, toMs: number): string[] {
  const months: string[] = []
  const at = new Date(fromMs)
  at.setUTCDate(1)
  at.setUTCHours(0, 0, 0, 0)
  for (;;) {
    months.push(monthOf(at.getTime()))
    if (at.getTime() <= toMs) return months
    at.setUTCMonth(at.getUTCMonth() - 1)
  }
}
