// Whose signatures a project takes. Harbor has nothing of the kind: it only looks whether there is one.

import { RegistryError } from '../../oci/errors.ts'
import { putTrust, readTrust, type SignatureTrust } from '../../policy/signature-trust.ts'
import { noted } from '../../registry/audit-log.ts'
import type { HttpResponse } from '../message.ts'
import { answer, done } from './answers.ts'
import { type Fields, objectsIn, readFields, textIn } from './body.ts'
import { type HarborCall, type HarborRoute, requireProject } from './call.ts'

const PATH = '/projects/{project}/signature-trust'
const PEM_LIMIT = 8192

export const SIGNATURE_TRUST_ROUTES: HarborRoute[] = [
  { method: 'GET', path: PATH, own: 'getSignatureTrust', run: show },
  { method: 'PUT', path: PATH, own: 'updateSignatureTrust', run: change },
]

async function show(call: HarborCall): Promise<HttpResponse> {
  const project = await requireProject(call, 'metadata', 'read')
  const trust = await readTrust(call.registry, project)
  return answer(200, {
    cosign_keys: trust.cosignKeys,
    keyless: trust.keyless,
    fulcio_certificates: trust.fulcioCertificates,
    ...(trust.rekorKey === undefined ? {} : { rekor_key: trust.rekorKey }),
    notation_certificates: trust.notationCertificates,
  })
}

async function change(call: HarborCall): Promise<HttpResponse> {
  const project = await requireProject(call, 'metadata', 'update')
  await putTrust(call.registry, project, trustIn(await readFields(call.request)))
  const resource = `${project.name}: whose signatures it takes`
  await noted(call, { operation: 'update', resourceType: 'project', resource, projectId: project.id })
  return done()
}

function trustIn(fields: Fields): SignatureTrust {
  const rekorKey = textIn(fields, 'rekor_key', PEM_LIMIT)
  return {
    cosignKeys: textsIn(fields, 'cosign_keys'),
    keyless: objectsIn(fields, 'keyless', 20).map((each) => ({
      identity: textIn(each, 'identity'),
      issuer: textIn(each, 'issuer'),
    })),
    fulcioCertificates: textsIn(fields, 'fulcio_certificates'),
    ...(rekorKey === '' ? {} : { rekorKey }),
    notationCertificates: textsIn(fields, 'notation_certificates'),
  }
}

function textsIn(fields: Fields, name: string): string[] {
  const value = fields[name] ?? []
  if (!Array.isArray(value) || value.some((each) => typeof each !== 'string'))
    throw new RegistryError('REQUEST_INVALID', `${name} in body must be a list of texts`, { status: 422 })
  return value as string[]
}
