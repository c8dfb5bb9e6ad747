// Which additions an artifact of a type has, by Harbor's names for them (v2.14, each processor's ListAdditionTypes).
import { RegistryError } from '../oci/errors.ts'
import { MANIFEST_KINDS } from '../oci/media-types.ts'

export const ADDITIONS = [
  'build_history',
  'values.yaml',
  'readme.md',
  'dependencies',
  'sbom',
  'license',
  'files',
] as const

export type AdditionName = (typeof ADDITIONS)[number]

const BY_TYPE = new Map<string, AdditionName[]>([
  ['IMAGE', ['build_history']],
  ['WASM', ['build_history']],
  ['CHART', ['values.yaml', 'readme.md', 'dependencies']],
  ['CNAI', ['readme.md', 'license', 'files']],
])

/** What a list links to. */
export function additionsOf(type: string, manifestMediaType: string): AdditionName[] {
  return MANIFEST_KINDS[manifestMediaType] === 'image' ? (BY_TYPE.get(type) ?? []) : []
}

/**
 * @param asked in upper or lower case
 * @throws NOT_FOUND for a name Harbor does not know; REQUEST_INVALID for one that artifacts of the type do not have
 */
export function requireAddition(asked: string, type: string, manifestMediaType: string): AdditionName {
  const name = ADDITIONS.find((each) => each === asked.toLowerCase())
  if (!name)
    throw new RegistryError(
      'NOT_FOUND',
      `there is no addition ${JSON.stringify(asked.slice(0, 100))}: there are ${ADDITIONS.join(', ')}`,
    )
  const known: AdditionName[] = type === 'SBOM' ? ['sbom'] : additionsOf(type, manifestMediaType)
  if (known.includes(name)) return name
  const others = known.length > 0 ? `; it has ${known.join(', ')}` : ''
  throw new RegistryError('REQUEST_INVALID', `addition ${name} isn't supported for ${type}${others}`)
}
