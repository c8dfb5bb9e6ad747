// The scanner of a project: its own, or the default.
import { RegistryError } from '../../oci/errors.ts'
import { changeProject } from '../../registry/project-changes.ts'
import { readRegistration, unknownScanner } from '../../scanning/registrations.ts'
import { scannerOf } from '../../scanning/scanner-choice.ts'
import { TRIVY_ID } from '../../scanning/scanners.ts'
import type { HttpResponse } from '../message.ts'
import { answer, done } from './answers.ts'
import { readFields, textIn } from './body.ts'
import { type HarborCall, type HarborRoute, requireProject } from './call.ts'
import { listAnswer } from './lists.ts'
import { scannerRow, scannerRows } from './scanners.ts'

const RESOURCE = 'scanner'

export const PROJECT_SCANNER_ROUTES: HarborRoute[] = [
  { method: 'GET', path: '/projects/{project}/scanner', run: show },
  { method: 'PUT', path: '/projects/{project}/scanner', run: choose },
  { method: 'GET', path: '/projects/{project}/scanner/candidates', run: candidates },
]

async function show(call: HarborCall): Promise<HttpResponse> {
  const project = await requireProject(call, RESOURCE, 'read')
  return answer(200, await scannerRow(call, (await scannerOf(call.registry, project)).id))
}

async function choose(call: HarborCall): Promise<HttpResponse> {
  const project = await requireProject(call, RESOURCE, 'create')
  const id = textIn(await readFields(call.request), 'uuid')
  if (id === '') throw new RegistryError('REQUEST_INVALID', 'missing scanner UUID')
  if (id !== TRIVY_ID && !(await readRegistration(call.registry, id))) throw unknownScanner(id)
  await changeProject(call.registry, project, () => ({ scannerId: id }))
  return done()
}

async function candidates(call: HarborCall): Promise<HttpResponse> {
  await requireProject(call, RESOURCE, 'create')
  return listAnswer(call.request, await scannerRows(call))
}
