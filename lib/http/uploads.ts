// POST /v2/<name>/blobs/uploads/: start an upload, upload whole, or mount.
import { type Digest, parseDigest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { isName } from '../oci/reference.ts'
import { commitUpload } from '../registry/commit-upload.ts'
import { mountFrom, mountFromAnywhere } from '../registry/mounts.ts'
import { openRepository, type Repository } from '../registry/repositories.ts'
import { issueSessionToken } from '../registry/session-token.ts'
import { startUpload } from '../registry/uploads.ts'
import type { Call } from './api.ts'
import { empty, type HttpResponse } from './message.ts'
import { digestParameter, uploadBody } from './upload-sessions.ts'

export async function openUpload(call: Call, name: string): Promise<HttpResponse> {
  const { registry, request, actor, secrets } = call
  const mount = request.query.get('mount')
  const wanted = mount === null ? undefined : parseDigest(mount)
  const digest = request.query.has('digest') ? digestParameter(request) : undefined
  checkAlgorithm(request.query.get('digest-algorithm'))
  const repository = await openRepository(registry, name, actor)
  if (wanted && (await tryMount(call, repository, wanted))) return created(name, wanted)
  const session = startUpload(registry, repository.id)
  if (digest) {
    await commitUpload(registry, session, digest, uploadBody(request))
    return created(name, digest)
  }
  return empty(202, {
    Location: `/v2/${name}/blobs/uploads/${issueSessionToken(secrets.sessionKeys, name, session)}`,
    Range: '0-0',
    'Docker-Upload-UUID': session.id,
  })
}

export function created(name: string, digest: Digest): HttpResponse {
  return empty(201, { Location: `/v2/${name}/blobs/${digest}`, 'Docker-Content-Digest': digest })
}

/** A source that is unknown, unreadable or without the blob is no error: the client uploads. */
async function tryMount(call: Call, target: Repository, digest: Digest): Promise<boolean> {
  const from = call.request.query.get('from')
  if (!from) return mountFromAnywhere(call.registry, target, digest)
  if (!isName(from) || !(await call.caller.may('pull', from))) return false
  return mountFrom(call.registry, target, digest, from)
}

function checkAlgorithm(algorithm: string | null): void {
  if (algorithm === null || algorithm === 'sha256' || algorithm === 'sha512') return
  throw new RegistryError(
    'DIGEST_INVALID',
    `unsupported digest-algorithm ${JSON.stringify(algorithm.slice(0, 40))}: use sha256 or sha512`,
  )
}
