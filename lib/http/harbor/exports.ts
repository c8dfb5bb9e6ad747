// Exports of vulnerabilities as CSV: begun, looked at, fetched once; by whoever began them.
import { RegistryError } from '../../oci/errors.ts'
import { noted } from '../../registry/audit-log.ts'
import { projectNameOf } from '../../registry/project-numbers.ts'
import { beginExport, type Export, exportsOf, readExport, removeExport } from '../../scanning/exports.ts'
import { REPORT_TYPE } from '../../scanning/report.ts'
import { empty, type HttpResponse } from '../message.ts'
import { answer, time } from './answers.ts'
import { type Fields, numberIn, readFields, textIn } from './body.ts'
import {
  type HarborCall,
  type HarborRoute,
  mayInProject,
  requireLogin,
  requireProjectNumbered,
} from './call.ts'
import { numberOf } from './number-in-path.ts'

export const EXPORT_ROUTES: HarborRoute[] = [
  { method: 'POST', path: '/export/cve', run: begin },
  { method: 'GET', path: '/export/cve/executions', run: list },
  { method: 'GET', path: '/export/cve/execution/{export}', run: show },
  { method: 'GET', path: '/export/cve/download/{export}', run: download },
]

const RESOURCE = 'export-cve'
const LABELS_LIMIT = 100
/** What a function can answer; larger ones are fetched from the store itself. */
const INLINE_BYTES = 4 * 1024 * 1024
const LINK_SECONDS = 900

async function begin(call: HarborCall): Promise<HttpResponse> {
  requireLogin(call)
  const type = call.request.headers['x-scan-data-type']
  if (!type) throw invalid('X-Scan-Data-Type in header is required', 422)
  if (!sameType(type)) throw invalid(`Unsupported MIME type : ${type.slice(0, 200)}`)
  const fields = await readFields(call.request)
  const [number, ...others] = numbersIn(fields, 'projects')
  if (number === undefined || others.length > 0)
    throw invalid(
      `only support export single project, invalid value: ${JSON.stringify(fields.projects ?? [])}`,
    )
  const project = await requireProjectNumbered(call, RESOURCE, 'create', number)
  // An export is a person's; Harbor knows no robot by that name either.
  if (call.principal.kind !== 'user')
    throw new RegistryError('DENIED', `User : ${call.principal.name} not found`)
  const criteria = {
    projectId: project.id,
    repositories: textIn(fields, 'repositories'),
    tags: textIn(fields, 'tags'),
    cves: textIn(fields, 'cveIds'),
    labels: numbersIn(fields, 'labels'),
  }
  const id = await beginExport(call.jobs, criteria, {
    user: call.principal.name,
    userNumber: call.principal.number,
    project: number,
    name: textIn(fields, 'job_name', 255),
  })
  await noted(call, { operation: 'create', resourceType: 'export_cve', resource: project.name })
  return answer(200, { id })
}

/** As media types are compared: in upper or lower case, with or without a space before the version. */
function sameType(type: string): boolean {
  const plain = (text: string) => text.toLowerCase().replaceAll(' ', '')
  return plain(type) === plain(REPORT_TYPE)
}

async function list(call: HarborCall): Promise<HttpResponse> {
  requireLogin(call)
  if (call.principal.kind !== 'user') return answer(200, { items: [] })
  const mine = await exportsOf(call.registry, call.principal.number)
  const readable = new Map<number, boolean>()
  for (const project of new Set(mine.map((each) => each.project)))
    readable.set(project, await mayRead(call, project))
  return answer(200, { items: mine.filter(({ project }) => readable.get(project)).map(view) })
}

async function mayRead(call: HarborCall, project: number): Promise<boolean> {
  const name = await projectNameOf(call.registry, String(project), 'false')
  return name !== undefined && mayInProject(call, name, RESOURCE, 'read')
}

async function show(call: HarborCall): Promise<HttpResponse> {
  return answer(200, view(await mine(call)))
}

/** Fetched whole it is removed, and its execution with it. */
async function download(call: HarborCall): Promise<HttpResponse> {
  const { registry } = call
  const found = await mine(call)
  const { file, execution } = found
  if (!file) throw new RegistryError('NOT_FOUND', `export ${execution.number} has no file, or it was fetched`)
  if (file.sizeBytes > INLINE_BYTES && registry.settings.redirectBlobs) {
    const location = await registry.blobs.locate?.(file.object, 'GET', LINK_SECONDS)
    if (location) return empty(307, { Location: location, 'Cache-Control': 'no-store' })
  }
  const body = await registry.blobs.open(file.object)
  if (!body) throw new RegistryError('NOT_FOUND', `the file of export ${execution.number} is gone`)
  return {
    status: 200,
    headers: {
      'Content-Type': 'text/csv',
      'Content-Disposition': `attachment; filename="scandata_export_${execution.number}.csv"`,
      'X-Content-Type-Options': 'nosniff',
    },
    body: andThen(body, () => removeExport(registry, found)),
    lengthBytes: file.sizeBytes,
  }
}

/** Not where the client went away before the end. */
async function* andThen(
  body: Uint8Array | AsyncIterable<Uint8Array>,
  end: () => Promise<void>,
): AsyncGenerator<Uint8Array> {
  if (body instanceof Uint8Array) yield body
  else yield* body
  await end()
}

/** @throws NOT_FOUND; DENIED for exports of others, and of projects the caller may not export any more */
async function mine(call: HarborCall): Promise<Export> {
  requireLogin(call)
  const number = numberOf(call, 'export')
  const found = await readExport(call.registry, number)
  if (!found) throw new RegistryError('NOT_FOUND', `execution with id: ${number} not found`)
  await requireProjectNumbered(call, RESOURCE, 'read', found.project)
  const { kind, number: caller } = call.principal
  if (kind !== 'user' || caller !== found.execution.rule)
    throw new RegistryError('DENIED', `export ${number} is somebody else’s`)
  return found
}

function view({ execution, user, file }: Export): object {
  const { status, message, extra, startedAtMs, endedAtMs } = execution
  const why = status === 'Error' ? message || 'look at the log of its task' : ''
  return {
    id: execution.number,
    user_id: execution.rule,
    status,
    trigger: execution.trigger,
    start_time: time(startedAtMs),
    ...(endedAtMs === undefined ? {} : { end_time: time(endedAtMs) }),
    status_text: String(extra.status_message ?? why),
    user_name: user,
    file_present: file !== undefined,
  }
}

/** @throws 422 for what is no list of numbers */
function numbersIn(fields: Fields, name: string): number[] {
  const list = fields[name] ?? []
  if (!Array.isArray(list) || list.length > LABELS_LIMIT)
    throw invalid(`${name} in body must be a list of at most ${LABELS_LIMIT} numbers`, 422)
  return list.map((each) => {
    const number = numberIn({ [name]: each }, name)
    if (number === undefined) throw invalid(`${name} in body must be a list of numbers`, 422)
    return number
  })
}

function invalid(why: string, status = 400): RegistryError {
  return new RegistryError('REQUEST_INVALID', why, { status })
}
