// Allowlists of vulnerabilities: of a project, and of the whole registry.
import type { Allowlist } from '../registry/projects.ts'
import { putSystemAllowlist, readSystemAllowlist } from '../registry/system-allowlist.ts'
import { type Fields, numberIn, objectsIn, textIn } from './fields.ts'
import type { Import } from './import.ts'
import { differing, settle } from './outcome.ts'

const CVES_LIMIT = 5000
const CVE_LIMIT = 128

/** @returns undefined where nothing is on it */
export function allowlistIn(fields: Fields): Allowlist | undefined {
  const named = objectsIn(fields, 'items').map((item) => textIn(item, 'cve_id'))
  const cves = [...new Set(named.filter((cve) => cve !== '' && cve.length <= CVE_LIMIT))].slice(0, CVES_LIMIT)
  const expires = numberIn(fields, 'expires_at')
  if (cves.length === 0 && !expires) return undefined
  return { cves, ...(expires ? { expiresAtSeconds: expires } : {}) }
}

export function allowlistDifferences(there: Allowlist, here: Allowlist | undefined): string[] {
  return [
    ...differing('the CVE allowlist', there.cves.toSorted(), here?.cves.toSorted() ?? []),
    ...differing('the end of the CVE allowlist', there.expiresAtSeconds, here?.expiresAtSeconds),
  ]
}

/** @throws HarborApiError */
export async function bringAllowlist(context: Import): Promise<void> {
  const there = allowlistIn(await context.source.get('/system/CVEAllowlist'))
  if (!there) return
  const here = await readSystemAllowlist(context.registry)
  const put = () => putSystemAllowlist(context.registry, there)
  await settle(context, {
    kind: 'allowlist',
    name: 'system',
    differences: here.createdAtMs === 0 ? undefined : allowlistDifferences(there, here),
    create: put,
    change: put,
  })
}
