// Lists of artifacts by what their scans found. Who knows of scans reads it; here it is asked of, sorted and filtered by.
import type { Digest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import type { Registry } from '../registry/registry.ts'
import type { Repository } from '../registry/repositories.ts'
import type { Term } from './query.ts'

export interface Severity {
  /** Of the worst vulnerability; `None` where there is none. */
  worst: string
  /** Sorts as text: by how many are critical, then by how many are high, and so on. */
  rank: string
}

/** @param digests of an artifact, or of an index's images together @returns undefined where none was scanned */
export type SeverityOf = (digests: readonly Digest[]) => Severity | undefined

export interface SeverityLists {
  names: readonly string[]
  /** As many rows as the repository has scanned artifacts. */
  read(registry: Registry, repository: Pick<Repository, 'id' | 'projectId'>): Promise<SeverityOf>
}

/**
 * `severity=Critical`, `severity={Critical High}`; `nil`: what was not scanned.
 * @throws REQUEST_INVALID for other names
 */
export function severityTest(
  term: Term | undefined,
  names: readonly string[],
): (severity: Severity | undefined) => boolean {
  if (term === undefined) return () => true
  const given = term.kind === 'exact' ? [term.value] : term.kind === 'any' ? term.values : []
  const wanted = given.map((each) =>
    [...names, 'nil'].find((name) => name.toLowerCase() === each.toLowerCase()),
  )
  if (wanted.length === 0 || wanted.includes(undefined))
    throw new RegistryError(
      'REQUEST_INVALID',
      `the value of "severity" query can only be one of ${names.join(', ')}, nil, or a list of them, e.g. severity={Critical High}`,
    )
  return (severity) => wanted.includes(severity?.worst ?? 'nil')
}
