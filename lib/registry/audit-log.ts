// The audit log: who did what, and whether it worked, in Harbor's words. One entry for each action.
import { RegistryError } from '../oci/errors.ts'
import { descriptionOf, isAudited } from './audited-operations.ts'
import { readConfiguration } from './configuration.ts'
import { keys, partitions } from './keys.ts'
import { stableNumber } from './numbers.ts'
import { pagesBackwards } from './partitions.ts'
import type { Attributes, Item, Key, Write } from './ports.ts'
import type { Actor, Registry } from './registry.ts'

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
  const { atMs, projectId } = entry
  const places = [
    keys.audit(monthOf(atMs), atMs, id),
    ...(projectId === undefined ? [] : [keys.projectAudit(projectId, atMs, id)]),
  ]
  return places.map((key) => put(registry, key, { v: 1, ...entry }, atMs))
}

/** An entry, with what its key would end in if it lay alone. */
export type BatchedEntry = AuditEntry & { id: string }

/** Many entries in few items, for what happens much oftener than anything else. @param entries a few hundred at most */
export function auditBatchWrites(registry: Registry, entries: BatchedEntry[]): Write[] {
  const month = ({ atMs }: BatchedEntry) => monthOf(atMs)
  const withProject = entries.filter(({ projectId }) => projectId !== undefined)
  return [
    ...[...Map.groupBy(entries, month)].map(([name, lines]) =>
      putBatch(registry, lines, (atMs, id) => keys.audit(name, atMs, id)),
    ),
    ...[...Map.groupBy(withProject, ({ projectId }) => projectId!)].map(([name, lines]) =>
      putBatch(registry, lines, (atMs, id) => keys.projectAudit(name, atMs, id)),
    ),
  ]
}

function putBatch(
  registry: Registry,
  lines: BatchedEntry[],
  keyOf: (atMs: number, id: string) => Key,
): Write {
  const newestMs = Math.max(...lines.map(({ atMs }) => atMs))
  const attributes = { v: 1, lines: lines as unknown as Attributes[] }
  return put(registry, keyOf(newestMs, registry.newId()), attributes, newestMs)
}

function put(registry: Registry, key: Key, attributes: Attributes, atMs: number): Write {
  const expiresAtEpochSeconds = Math.ceil((atMs + registry.settings.auditKeptMs) / 1000)
  return { kind: 'put', item: { ...key, attributes, expiresAtEpochSeconds } }
}

/** Something that somebody did by the management API, the page or a command. */
export interface Deed {
  operation: 'create' | 'update' | 'delete' | 'login' | 'logout'
  resourceType: string
  /** Of a robot its name without the prefix. */
  resource: string
  projectId?: string
  /** Where the usual sentence says too little. */
  description?: string
}

/** As Harbor says it from 2.15 on: `create user member bob in project library`. */
export function memberDeed(
  operation: 'create' | 'update' | 'delete',
  project: { id: string; name: string },
  { kind, name }: { kind: 'user' | 'group'; name: string },
): Deed {
  const where = `${operation === 'delete' ? 'from' : 'in'} project ${project.name}`
  const description = `${operation} ${kind} member ${name} ${where}`
  return { operation, resourceType: 'member', resource: name, projectId: project.id, description }
}

/** Whose failures are not noted: anybody could fill the log. */
const NOBODY = 'anonymous'

/** Who did it where: of the API, or of a command. */
interface Doing {
  registry: Registry
  actor: Actor
}

/** Called once, when it is done. @param succeeded false for what was tried and refused */
export async function noted({ registry, actor }: Doing, deed: Deed, succeeded = true): Promise<void> {
  const configuration = await readConfiguration(registry)
  if (!isAudited(configuration, deed)) return
  // As in Harbor, a robot is told by the name it logs in with.
  const prefix = deed.resourceType === 'robot' ? configuration.robot_name_prefix : ''
  const named = { ...deed, resource: `${prefix}${deed.resource}` }
  const entry: AuditEntry = {
    ...named,
    atMs: registry.clock.nowMs(),
    principal: actor.principal,
    description: deed.description ?? descriptionOf(named),
    succeeded,
    requestId: actor.requestId,
  }
  await registry.metadata.batchWrite(auditWrites(registry, entry))
}

/** Does it and notes it; where it is refused, that is noted, as Harbor does for users and the configuration. */
export async function attempted<Result>(
  doing: Doing,
  deed: Deed,
  work: () => Promise<Result>,
): Promise<Result> {
  let result: Result
  try {
    result = await work()
  } catch (error) {
    const refused = error instanceof RegistryError && error.status < 500
    if (refused && doing.actor.principal !== NOBODY) await noted(doing, deed, false)
    throw error
  }
  await noted(doing, deed)
  return result
}

/** Newest first: of one project, or of the whole registry. */
export async function* auditEntries(registry: Registry, projectId?: string): AsyncGenerator<LoggedEntry> {
  const now = registry.clock.nowMs()
  const oldest = now - registry.settings.auditKeptMs
  const places =
    projectId === undefined
      ? monthsBack(now, oldest).map(partitions.audit)
      : [partitions.projectAudit(projectId)]
  for (const pk of places)
    for await (const entry of entriesIn(registry, pk)) if (entry.atMs >= oldest) yield entry
}

/** Of one partition. A batch lies where its newest entry is, so the others wait for what was noted between them. */
async function* entriesIn(registry: Registry, pk: string): AsyncGenerator<LoggedEntry> {
  let waiting: { sk: string; entry: AuditEntry }[] = []
  const next = () => {
    const { sk, entry } = waiting.pop()!
    return { ...entry, number: stableNumber(sk) }
  }
  for await (const page of pagesBackwards(registry.metadata, { pk }))
    for (const item of page) {
      while (waiting.length > 0 && waiting.at(-1)!.sk > item.sk) yield next()
      waiting = [...waiting, ...entriesOf(item)].sort((one, other) => (one.sk < other.sk ? -1 : 1))
    }
  while (waiting.length > 0) yield next()
}

/** Those of a batch with the sort keys they would have alone. */
function entriesOf({ sk, attributes }: Item): { sk: string; entry: AuditEntry }[] {
  const lines = attributes.lines as unknown as BatchedEntry[] | undefined
  if (!lines) return [{ sk, entry: attributes as unknown as AuditEntry }]
  return lines.map((line) => ({ sk: keys.audit('', line.atMs, line.id).sk, entry: line }))
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
