// URLs of other registries.
import { RegistryError } from '../oci/errors.ts'

const LIMIT = 1024

/**
 * What stands there is kept, but for a slash at its end and a scheme that is missing (http, as Harbor has it).
 * @throws REQUEST_INVALID
 */
export function checkedUrl(given: string): string {
  const trimmed = given.trim().replace(/\/+$/, '')
  const invalid = (why: string) => new RegistryError('REQUEST_INVALID', `invalid registry URL: ${why}`)
  if (trimmed === '') throw invalid('it is empty')
  if (trimmed.length > LIMIT) throw invalid(`it has more than ${LIMIT} characters`)
  const url = trimmed.includes('://') ? trimmed : `http://${trimmed}`
  if (!URL.canParse(url)) throw invalid(`${JSON.stringify(trimmed.slice(0, 200))} is no URL`)
  const { protocol, username, password, search, hash } = new URL(url)
  if (protocol !== 'http:' && protocol !== 'https:')
    throw invalid(`the scheme ${protocol} is not http or https`)
  if (username !== '' || password !== '') throw invalid('a login belongs into the credential')
  if (search !== '' || hash !== '') throw invalid('it has a query or fragment')
  return url
}
