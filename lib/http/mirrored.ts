// Requests of clients that take this registry for a mirror of another one.
import { RegistryError } from '../oci/errors.ts'
import { isName } from '../oci/reference.ts'
import type { Mirrors } from '../proxy/mirrors.ts'
import type { HttpRequest, HttpResponse } from './message.ts'

/** What a client is told when the name is not here, or not for it. */
const ELSEWHERE = new Set(['UNAUTHORIZED', 'DENIED', 'NAME_UNKNOWN'])
/** What it is not told of a mirror that does not have it, or not for everybody. */
const IN_VAIN = new Set([...ELSEWHERE, 'MANIFEST_UNKNOWN', 'BLOB_UNKNOWN'])

/**
 * containerd names the registry (`?ns=`): then only the project that stands for it is asked. Docker does not: then what
 * is here comes first.
 * @param answer for a name here; `mirrored`: it is not the name that the client knows
 * @throws NAME_UNKNOWN when the names of other registries are mirrored here, and those of this one are not
 */
export async function answerMirrored(
  mirrors: Mirrors,
  { query, origin }: HttpRequest,
  name: string,
  answer: (name: string, mirrored: boolean) => Promise<HttpResponse>,
): Promise<HttpResponse> {
  const namespace = query.get('ns') || undefined
  if (namespace !== undefined && namespace !== new URL(origin).host) {
    const here = await mirrors.nameHere(name, namespace)
    if (here !== undefined && isName(here)) return answer(here, true)
    // What has the same name here is something else.
    if (await mirrors.any())
      throw new RegistryError(
        'NAME_UNKNOWN',
        `this registry mirrors others, and not ${namespace.slice(0, 200)}`,
      )
  }
  try {
    return await answer(name, false)
  } catch (error) {
    if (!(error instanceof RegistryError) || !ELSEWHERE.has(error.code)) throw error
    const here = namespace === undefined ? await mirrors.nameHere(name, undefined) : undefined
    if (here === undefined || !isName(here) || !(await mirrors.mayBeElsewhere(name))) throw error
    try {
      return await answer(here, true)
    } catch (elsewhere) {
      // What is not there either, or not for everybody, changes nothing of what the client is told.
      throw elsewhere instanceof RegistryError && IN_VAIN.has(elsewhere.code) ? error : elsewhere
    }
  }
}
