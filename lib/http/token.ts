// /service/token: where clients change a password, or nothing, for a token (blueprint: Docker token protocol).
import type { Access } from '../access/access.ts'
import { RegistryError } from '../oci/errors.ts'
import { methodNotAllowed } from './errors.ts'
import { type HttpRequest, type HttpResponse, json } from './message.ts'

const FORM_LIMIT_BYTES = 64 * 1024

export async function answerToken(access: Access, request: HttpRequest): Promise<HttpResponse> {
  const { method, query } = request
  if (method !== 'GET' && method !== 'POST') throw methodNotAllowed(method, ['GET', 'POST'])
  const { authorization } = request.headers
  const form = method === 'POST' ? { form: await readForm(request) } : {}
  const answer = await access.token({
    method,
    query,
    address: request.address,
    ...form,
    ...(authorization === undefined ? {} : { authorization }),
  })
  return json(200, answer)
}

/** @throws REQUEST_INVALID (413) when it is too large */
export async function readForm(request: HttpRequest): Promise<URLSearchParams> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of request.body) {
    size += chunk.length
    if (size > FORM_LIMIT_BYTES)
      throw new RegistryError('REQUEST_INVALID', 'the form is too large', { status: 413 })
    chunks.push(chunk)
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'))
}
