// The audit log, of the registry or of one project: newest first, in both shapes that Harbor has had.
import { RegistryError } from '../../oci/errors.ts'
import { auditEntries, type LoggedEntry } from '../../registry/audit-log.ts'
import { AUDITED_EVENTS } from '../../registry/audited-operations.ts'
import type { HttpResponse } from '../message.ts'
import { answer, time } from './answers.ts'
import { type HarborCall, type HarborRoute, requireProject, requireSystem } from './call.ts'
import { fits, pageAnswer, pageOf, type Row, sortedBy } from './lists.ts'
import { parseQuery, parseSort } from './query.ts'

export const AUDIT_LOG_ROUTES: HarborRoute[] = [
  { method: 'GET', path: '/audit-logs', run: (call) => ofRegistry(call, view) },
  { method: 'GET', path: '/auditlog-exts', run: (call) => ofRegistry(call, extendedView) },
  { method: 'GET', path: '/auditlog-exts/events', run: eventTypes },
  { method: 'GET', path: '/projects/{project}/logs', run: (call) => ofProject(call, view) },
  { method: 'GET', path: '/projects/{project}/auditlog-exts', run: (call) => ofProject(call, extendedView) },
]

/** Entries looked at for one answer; who wants to see older ones narrows the time. */
const LOOKED_AT = 20_000

async function ofRegistry(call: HarborCall, shape: (entry: LoggedEntry) => Row): Promise<HttpResponse> {
  requireSystem(call, 'audit-log', 'list')
  return list(call, auditEntries(call.registry), shape)
}

async function ofProject(call: HarborCall, shape: (entry: LoggedEntry) => Row): Promise<HttpResponse> {
  const project = await requireProject(call, 'log', 'list')
  return list(call, auditEntries(call.registry, project.id), shape)
}

async function list(
  { request }: HarborCall,
  entries: AsyncIterable<LoggedEntry>,
  shape: (entry: LoggedEntry) => Row,
): Promise<HttpResponse> {
  const filters = parseQuery(request.query.get('q'))
  const sorts = parseSort(request.query.get('sort'))
  const page = pageOf(request)
  const kept: Row[] = []
  let looked = 0
  for await (const entry of entries) {
    looked += 1
    if (looked > LOOKED_AT)
      throw new RegistryError(
        'REQUEST_INVALID',
        `more than ${LOOKED_AT} entries: ask for a time, such as q=op_time=[2026-01-01 00:00:00~2026-01-02 00:00:00]`,
      )
    const row = shape(entry)
    if (filters.every((filter) => fits(row, filter))) kept.push(row)
  }
  const sorted = sortedBy(kept, sorts)
  const from = (page.number - 1) * page.size
  return pageAnswer(
    request,
    page,
    sorted.length,
    page.size === 0 ? sorted : sorted.slice(from, from + page.size),
  )
}

function view(entry: LoggedEntry): Row {
  return {
    id: entry.number,
    username: entry.principal,
    resource: entry.resource,
    resource_type: entry.resourceType,
    operation: entry.operation,
    op_time: time(entry.atMs),
  }
}

function extendedView(entry: LoggedEntry): Row {
  return { ...view(entry), operation_description: entry.description, operation_result: entry.succeeded }
}

/** What can be in the log. */
async function eventTypes(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, 'audit-log', 'list')
  return answer(
    200,
    AUDITED_EVENTS.map((event_type) => ({ event_type })),
  )
}
