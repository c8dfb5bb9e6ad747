// Filters of a policy: which repositories, tags, labels, kinds and platforms it copies.
import { kindOf } from '../oci/artifact-type.ts'
import type { Platform } from '../oci/descriptor.ts'
import { isDigest } from '../oci/digest.ts'
import type { Manifest } from '../oci/manifest.ts'
import { globMatcher, type Matches, tagMatcher } from './patterns.ts'
import { filtersOf, namePattern, type PolicyFilter, type ReplicationPolicy } from './policy.ts'

type Filtered = Pick<ReplicationPolicy, 'filters'>

export function repositoryMatcher(policy: Filtered): Matches {
  return globMatcher(namePattern(policy))
}

/** Tags that belong to another manifest: signatures, attestations and lists of referrers follow it. */
const ACCESSORY_TAG = /^(sha256-[0-9a-f]{64})(?:\.(?:sig|att|sbom))?$/

/** @returns the digest that a tag of cosign's, or of a list of referrers, belongs to */
export function subjectOfTag(tag: string): string | undefined {
  return ACCESSORY_TAG.exec(tag)?.[1]?.replace('-', ':')
}

/**
 * Tags that are replicated for their own sake; and digests, by which what has no tag goes: as in Harbor it passes a filter
 * that takes the empty text, `**`, and one that excludes tags it has not.
 */
export function referenceFilter(policy: Filtered): Matches {
  const all = filtersOf(policy, 'tag').map(({ value, decoration }) => {
    const matches = tagMatcher(String(value))
    return decoration === 'excludes' && value !== '' ? (tag: string) => !matches(tag) : matches
  })
  return (reference) => {
    const tag = isDigest(reference) ? '' : reference
    return subjectOfTag(tag) === undefined && all.every((each) => each(tag))
  }
}

/** @returns undefined when labels do not matter */
export function labelFilter(policy: Filtered): ((labels: string[]) => boolean) | undefined {
  const all = filtersOf(policy, 'label').filter(({ value }) => value.length > 0)
  if (all.length === 0) return undefined
  return (labels) => all.every((each) => hasAll(each, labels) === (each.decoration !== 'excludes'))
}

function hasAll({ value }: PolicyFilter, labels: string[]): boolean {
  return [value].flat().every((each) => labels.includes(each))
}

/** Harbor's two kinds: images, and everything else. */
export function resourceFilter(policy: Filtered): (manifest: Manifest) => boolean {
  const [filter] = filtersOf(policy, 'resource')
  if (!filter || filter.value === '') return () => true
  return (manifest) => (kindOf(manifest).type === 'IMAGE') === (filter.value === 'image')
}

/** @returns undefined when all platforms are copied */
export function platformFilter(policy: Filtered): ((platform: Platform) => boolean) | undefined {
  const wanted = filtersOf(policy, 'platform').flatMap(({ value }) =>
    [value].flat().flatMap((each) => each.split(',').map((one) => one.trim())),
  )
  if (wanted.length === 0) return undefined
  return ({ os = '', architecture = '', variant = '' }) =>
    wanted.some((each) => {
      const [wantedOs, wantedArchitecture, wantedVariant] = each.split('/')
      return (
        os === wantedOs &&
        architecture === wantedArchitecture &&
        (wantedVariant === undefined || variant === wantedVariant)
      )
    })
}
