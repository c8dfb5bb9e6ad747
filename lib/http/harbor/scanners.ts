// Scanners: the built-in Trivy, which can only be switched off, and services that administrators register.
import { RegistryError } from '../../oci/errors.ts'
import { noted } from '../../registry/audit-log.ts'
import { checkedRegistration, type Registration, type RegistrationText } from '../../scanning/registration.ts'
import {
  createRegistration,
  deleteRegistration,
  disableTrivy,
  listRegistrations,
  makeDefault,
  readRegistration,
  readScannerSettings,
  unknownScanner,
  updateRegistration,
} from '../../scanning/registrations.ts'
import { GENERIC_REPORT_TYPE, REPORT_TYPE } from '../../scanning/report.ts'
import type { ScannerSettings } from '../../scanning/scanner-choice.ts'
import { healthOf, requireAnswering } from '../../scanning/scanner-health.ts'
import { CONSUMES, readScannerState, TRIVY_ID } from '../../scanning/scanners.ts'
import type { HttpResponse } from '../message.ts'
import { answer, created, done } from './answers.ts'
import { type Fields, flagIn, readFields, textIn } from './body.ts'
import { type HarborCall, type HarborRoute, requireSystem } from './call.ts'
import { listAnswer, type Row } from './lists.ts'
import { registrationView, trivyView } from './scanner-view.ts'

export const SCANNER_ROUTES: HarborRoute[] = [
  { method: 'GET', path: '/scanners', run: list },
  { method: 'POST', path: '/scanners', run: create },
  { method: 'POST', path: '/scanners/ping', run: ping },
  { method: 'GET', path: '/scanners/{scanner}', run: show },
  { method: 'PUT', path: '/scanners/{scanner}', run: change },
  { method: 'DELETE', path: '/scanners/{scanner}', run: remove },
  { method: 'PATCH', path: '/scanners/{scanner}', run: setDefault },
  { method: 'GET', path: '/scanners/{scanner}/metadata', run: metadata },
]

const RESOURCE = 'scanner'
const CREDENTIAL_LIMIT = 4096

async function list(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, 'list')
  const { query } = call.request
  const like = ['name', 'description', 'url'].map((field) => [field, query.get(field) ?? ''] as const)
  const same = ['name', 'url'].map((field) => [field, query.get(`ex_${field}`) ?? ''] as const)
  const rows = (await scannerRows(call)).filter(
    (row) =>
      like.every(([field, text]) => String(row[field]).includes(text)) &&
      same.every(([field, text]) => text === '' || row[field] === text),
  )
  return listAnswer(call.request, rows)
}

/** The default first, then the newest, as Harbor lists them. */
export async function scannerRows(call: HarborCall): Promise<Row[]> {
  const { registry } = call
  const [settings, registrations] = await Promise.all([
    readScannerSettings(registry),
    listRegistrations(registry),
  ])
  const isDefault = defaultAmong(settings, registrations)
  const rows = await Promise.all(
    registrations.map(async (each) =>
      registrationView(each, isDefault(each.id), await healthOf(call.upstreams, each)),
    ),
  )
  const all = [...rows, await trivyRow(call, settings, isDefault(TRIVY_ID))]
  return all.sort((one, other) => Number(other.is_default) - Number(one.is_default))
}

/** The built-in one, where the chosen one is gone. */
function defaultAmong({ default: chosen }: ScannerSettings, registrations: readonly { id: string }[]) {
  const found = registrations.some(({ id }) => id === chosen) ? chosen : TRIVY_ID
  return (id: string) => id === found
}

async function trivyRow(
  { registry }: HarborCall,
  { trivyDisabled: disabled }: ScannerSettings,
  isDefault: boolean,
): Promise<Row> {
  return trivyView(await readScannerState(registry), { disabled, isDefault })
}

/** @throws NOT_FOUND */
export async function scannerRow(call: HarborCall, id: string): Promise<Row> {
  const settings = await readScannerSettings(call.registry)
  if (id === TRIVY_ID) {
    const other = settings.default !== TRIVY_ID && (await readRegistration(call.registry, settings.default))
    return trivyRow(call, settings, !other)
  }
  const found = await requireRegistration(call, id)
  return registrationView(found, settings.default === id, await healthOf(call.upstreams, found))
}

async function create(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, 'create')
  const text = checkedRegistration(textsIn(await readFields(call.request)))
  await requireAnswering(call.upstreams, { ...text, credential: text.accessCredential })
  const made = await createRegistration(call.registry, call.upstreams.keys, text)
  await note(call, 'create', made)
  return created(`/scanners/${made.id}`)
}

async function ping(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, 'read')
  const text = checkedRegistration(textsIn(await readFields(call.request)))
  await requireAnswering(call.upstreams, { ...text, credential: text.accessCredential })
  return done()
}

async function show(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, 'read')
  return answer(200, await scannerRow(call, call.params.scanner!))
}

async function change(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, 'update')
  const id = call.params.scanner!
  const fields = await readFields(call.request)
  if (id === TRIVY_ID) return changeTrivy(call, fields)
  const changed = await updateRegistration(call.registry, call.upstreams.keys, id, textsIn(fields))
  await note(call, 'update', changed)
  return done()
}

/** Harbor refuses every change of it; here it can be switched off and on. @throws DENIED */
async function changeTrivy(call: HarborCall, fields: Fields): Promise<HttpResponse> {
  const { disabled, ...before } = await scannerRow(call, TRIVY_ID)
  const others = Object.entries(fields).filter(([name]) => name !== 'disabled')
  const wanted = flagIn(fields, 'disabled') ?? false
  if (
    wanted === disabled ||
    others.some(([name, value]) => before[name] !== undefined && before[name] !== value)
  )
    throw immutable('update')
  await disableTrivy(call.registry, wanted)
  await note(call, 'update', { name: 'Trivy' })
  return done()
}

async function remove(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, 'delete')
  const id = call.params.scanner!
  if (id === TRIVY_ID) throw immutable('delete')
  const row = await scannerRow(call, id)
  await note(call, 'delete', await deleteRegistration(call.registry, id))
  return answer(200, row)
}

function immutable(action: string): RegistryError {
  return new RegistryError(
    'DENIED',
    `registration Trivy is not allowed to ${action} as it is immutable: scanner API: ${action}`,
  )
}

/** Anything but true changes nothing, as in Harbor. */
async function setDefault(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, 'update')
  if (flagIn(await readFields(call.request), 'is_default') === true) {
    await makeDefault(call.registry, call.params.scanner!)
    await note(call, 'update', { name: call.params.scanner! })
  }
  return done()
}

/** @throws NOT_FOUND; REQUEST_INVALID with the reason when it does not answer */
async function metadata(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, 'read')
  const id = call.params.scanner!
  if (id === TRIVY_ID) return answer(200, await trivyMetadata(call))
  const health = await healthOf(call.upstreams, await requireRegistration(call, id))
  if ('reason' in health)
    throw new RegistryError('REQUEST_INVALID', `scanner controller: ping: ${health.reason}`)
  const { scanner, capabilities, properties } = health.metadata
  return answer(200, {
    scanner,
    capabilities: capabilities.map(({ type = '', consumes_mime_types, produces_mime_types }) => ({
      type,
      consumes_mime_types,
      produces_mime_types,
    })),
    properties,
  })
}

async function trivyMetadata({ registry }: HarborCall): Promise<object> {
  const { name, vendor, version, databaseAtMs } = await readScannerState(registry)
  return {
    scanner: { name, vendor, version },
    capabilities: [
      {
        type: 'vulnerability',
        consumes_mime_types: CONSUMES,
        produces_mime_types: [REPORT_TYPE, GENERIC_REPORT_TYPE],
      },
      {
        type: 'sbom',
        consumes_mime_types: CONSUMES,
        produces_mime_types: ['application/vnd.security.sbom.report+json; version=1.0'],
      },
    ],
    properties: {
      'harbor.scanner-adapter/scanner-type': 'os-package-vulnerability',
      'harbor.scanner-adapter/registry-authorization-type': 'Bearer',
      ...(databaseAtMs === undefined
        ? {}
        : {
            'harbor.scanner-adapter/vulnerability-database-updated-at': new Date(databaseAtMs).toISOString(),
          }),
    },
  }
}

/** @throws 422 */
function textsIn(fields: Fields): RegistrationText {
  return {
    name: textIn(fields, 'name'),
    description: textIn(fields, 'description', 4096),
    url: textIn(fields, 'url', 4096),
    auth: textIn(fields, 'auth'),
    accessCredential: textIn(fields, 'access_credential', CREDENTIAL_LIMIT),
    skipCertVerify: flagIn(fields, 'skip_certVerify') ?? false,
    useInternalAddr: flagIn(fields, 'use_internal_addr') ?? false,
    disabled: flagIn(fields, 'disabled') ?? false,
  }
}

async function requireRegistration({ registry }: HarborCall, id: string): Promise<Registration> {
  const found = await readRegistration(registry, id)
  if (!found) throw unknownScanner(id)
  return found
}

async function note(
  call: HarborCall,
  operation: 'create' | 'update' | 'delete',
  { name }: Pick<Registration, 'name'>,
): Promise<void> {
  await noted(call, { operation, resourceType: 'scanner', resource: name })
}
