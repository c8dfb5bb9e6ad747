// Scanners: there is one, Trivy, which every project has.
import { RegistryError } from '../../oci/errors.ts'
import { GENERIC_REPORT_TYPE, REPORT_TYPE } from '../../scanning/report.ts'
import { CONSUMES, type KnownScanner, readScannerState, TRIVY_ID } from '../../scanning/scanners.ts'
import type { HttpResponse } from '../message.ts'
import { answer, done } from './answers.ts'
import { flagIn, readFields, textIn } from './body.ts'
import { type HarborCall, type HarborRoute, requireProject, requireSystem } from './call.ts'
import { listAnswer } from './lists.ts'

export const SCANNER_ROUTES: HarborRoute[] = [
  { method: 'GET', path: '/scanners', run: list },
  { method: 'GET', path: '/scanners/{scanner}', run: show },
  { method: 'PATCH', path: '/scanners/{scanner}', run: makeDefault },
  { method: 'GET', path: '/scanners/{scanner}/metadata', run: metadata },
  { method: 'GET', path: '/projects/{project}/scanner', run: ofProject },
  { method: 'PUT', path: '/projects/{project}/scanner', run: setOfProject },
  { method: 'GET', path: '/projects/{project}/scanner/candidates', run: candidates },
]

const RESOURCE = 'scanner'

async function list(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, 'list')
  return listAnswer(call.request, [registration(await readScannerState(call.registry))])
}

async function show(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, 'read')
  requireTrivy(call.params.scanner!)
  return answer(200, registration(await readScannerState(call.registry)))
}

async function makeDefault(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, 'create')
  requireTrivy(call.params.scanner!)
  if (flagIn(await readFields(call.request), 'is_default') === false)
    throw new RegistryError('REQUEST_INVALID', 'is_default must be true: Trivy is the only scanner')
  return done()
}

async function metadata(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, RESOURCE, 'read')
  requireTrivy(call.params.scanner!)
  const { name, vendor, version, databaseAtMs } = await readScannerState(call.registry)
  return answer(200, {
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
  })
}

async function ofProject(call: HarborCall): Promise<HttpResponse> {
  await requireProject(call, RESOURCE, 'read')
  return answer(200, registration(await readScannerState(call.registry)))
}

async function setOfProject(call: HarborCall): Promise<HttpResponse> {
  await requireProject(call, RESOURCE, 'create')
  requireTrivy(textIn(await readFields(call.request), 'uuid'))
  return done()
}

async function candidates(call: HarborCall): Promise<HttpResponse> {
  await requireProject(call, RESOURCE, 'create')
  return listAnswer(call.request, [registration(await readScannerState(call.registry))])
}

/** @throws NOT_FOUND */
function requireTrivy(id: string): void {
  if (id !== TRIVY_ID) throw new RegistryError('NOT_FOUND', `scanner ${id.slice(0, 80)} not found`)
}

/** Whether it is well is known once it has scanned something. */
function registration({ name, vendor, version, known }: KnownScanner) {
  return {
    uuid: TRIVY_ID,
    name,
    description: 'Looks for packages with vulnerabilities, secrets and misconfigurations in images.',
    url: 'http://localhost',
    disabled: false,
    is_default: true,
    health: known ? 'healthy' : '',
    auth: '',
    access_credential: '',
    skip_certVerify: false,
    use_internal_addr: true,
    adapter: name,
    vendor,
    version,
    capabilities: { support_vulnerability: true, support_sbom: true },
  }
}
