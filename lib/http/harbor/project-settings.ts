// What may be set of a project: its metadata (policy flags, all of them text), its allowlist.
import { RegistryError } from '../../oci/errors.ts'
import { checkedMetadata } from '../../registry/project-metadata.ts'
import type { Allowlist } from '../../registry/projects.ts'
import { type Fields, numberIn, objectIn, objectsIn } from './body.ts'

const KEYS_LIMIT = 64
const CVES_LIMIT = 5000

/** Texts by name; names that only later versions of Harbor know are kept too. @throws REQUEST_INVALID, 422 */
export function metadataIn(fields: Fields): Record<string, string> {
  const metadata: Record<string, string> = {}
  const given = Object.entries(fields).filter(([, value]) => value !== null && value !== undefined)
  if (given.length > KEYS_LIMIT) throw invalid(`more than ${KEYS_LIMIT} metadata`)
  for (const [name, value] of given) {
    if (typeof value !== 'string')
      throw new RegistryError('REQUEST_INVALID', `metadata.${name.slice(0, 64)} in body must be a text`, {
        status: 422,
      })
    metadata[name] = checkedMetadata(name, value)
  }
  return metadata
}

/** @returns undefined when the body says nothing of it */
export function allowlistIn(fields: Fields): Allowlist | undefined {
  const given = objectIn(fields, 'cve_allowlist')
  return given.items === undefined && given.expires_at === undefined ? undefined : allowlistOf(given)
}

/** @throws REQUEST_INVALID, 422 */
export function allowlistOf(given: Fields): Allowlist {
  const cves = objectsIn(given, 'items', CVES_LIMIT).map(({ cve_id: cve }) => {
    if (typeof cve !== 'string' || cve === '' || cve.length > 128) throw invalid('each item has a cve_id')
    return cve
  })
  const expires = numberIn(given, 'expires_at')
  return { cves: [...new Set(cves)], ...(expires === undefined ? {} : { expiresAtSeconds: expires }) }
}

function invalid(why: string): RegistryError {
  return new RegistryError('REQUEST_INVALID', why)
}
