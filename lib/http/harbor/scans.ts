// Scans of artifacts: begun, stopped, and what they found.
import { RegistryError } from '../../oci/errors.ts'
import { noted } from '../../registry/audit-log.ts'
import { beginScan } from '../../scanning/begin.ts'
import { reportOf } from '../../scanning/overview.ts'
import type { ScanType } from '../../scanning/scan.ts'
import { scanLog, scansIn, stopScan } from '../../scanning/scan-jobs.ts'
import { type Scannable, scannableAt } from '../../scanning/scannable.ts'
import { empty, type HttpResponse } from '../message.ts'
import { answer } from './answers.ts'
import { readFields, textIn } from './body.ts'
import type { HarborCall, HarborRoute } from './call.ts'
import { logAnswer } from './jobservice.ts'
import { referenceIn, requireRepositoryRight } from './repository-call.ts'
import { reportTypeIn, reportView } from './scan-view.ts'

const ONE = '/projects/{project}/repositories/{repository}/artifacts/{reference}'

export const SCAN_ROUTES: HarborRoute[] = [
  { method: 'POST', path: `${ONE}/scan`, run: scan },
  { method: 'POST', path: `${ONE}/scan/stop`, run: stop },
  { method: 'GET', path: `${ONE}/scan/{report}/log`, run: log },
  { method: 'GET', path: `${ONE}/additions/vulnerabilities`, run: vulnerabilities },
]

/** What somebody needs a right on, in Harbor. */
const RESOURCES: Record<ScanType, string> = { vulnerability: 'scan', sbom: 'sbom' }

async function scan(call: HarborCall): Promise<HttpResponse> {
  const type = await scanTypeIn(call)
  const scannable = await scannableIn(call, RESOURCES[type], 'create')
  await beginScan(call.jobs, scannable, { trigger: 'MANUAL', operator: call.principal.name, type })
  const resource = `${scannable.repository.name}@${scannable.digest}`
  await noted(call, { operation: 'create', resourceType: 'scan', resource })
  return empty(202, {})
}

async function stop(call: HarborCall): Promise<HttpResponse> {
  const type = await scanTypeIn(call)
  await stopScan(call.jobs, await scannableIn(call, RESOURCES[type], 'stop'), type)
  return empty(202, {})
}

async function log(call: HarborCall): Promise<HttpResponse> {
  const scannable = await scannableIn(call, 'scan', 'read')
  return logAnswer(await scanLog(call.registry, scannable, call.params.report!))
}

/** Without a report an empty object, as Harbor says it. */
async function vulnerabilities(call: HarborCall): Promise<HttpResponse> {
  const scannable = await scannableIn(call, 'artifact-addition', 'read')
  const report = await reportOf(call.registry, await scansIn(call.registry, scannable))
  return answer(200, report ? reportView(report, reportTypeIn(call.request)) : {})
}

async function scannableIn(call: HarborCall, resource: string, action: string): Promise<Scannable> {
  const { name } = await requireRepositoryRight(call, resource, action)
  return scannableAt(call.registry, name, referenceIn(call))
}

/** The body says what kind of scan; without one it is vulnerabilities. @throws REQUEST_INVALID */
async function scanTypeIn({ request }: HarborCall): Promise<ScanType> {
  const type = textIn(await readFields(request), 'scan_type') || 'vulnerability'
  if (type === 'vulnerability' || type === 'sbom') return type
  throw new RegistryError(
    'REQUEST_INVALID',
    `scan_type ${JSON.stringify(type.slice(0, 40))} is none of vulnerability, sbom`,
  )
}
