// Content descriptors: image-spec v1.1 descriptor.md.
import { type Digest, isDigest } from './digest.ts'
import { RegistryError } from './errors.ts'

export interface Descriptor {
  mediaType: string
  digest: Digest
  size: number
  artifactType?: string
  annotations?: Record<string, string>
  /** Of an index's manifest. */
  platform?: Platform
  /** Where else the content can be had. */
  urls?: string[]
}

/** image-spec v1.1 image-index.md §"platform". */
export interface Platform {
  architecture?: string
  os?: string
  variant?: string
  'os.version'?: string
  'os.features'?: string[]
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Reads one descriptor out of a manifest; `where` names it in the error (`layers[3]`).
 * @throws MANIFEST_INVALID
 */
export function readDescriptor(value: unknown, where: string): Descriptor {
  const invalid = (why: string) => new RegistryError('MANIFEST_INVALID', `manifest invalid: ${where} ${why}`)
  if (!isObject(value)) throw invalid('is not an object')
  const { mediaType, digest, size, artifactType } = value
  if (typeof mediaType !== 'string') throw invalid('has no mediaType')
  if (typeof digest !== 'string' || !isDigest(digest)) throw invalid(`has no valid digest (${shown(digest)})`)
  if (!Number.isSafeInteger(size) || (size as number) < 0) throw invalid(`has no valid size (${shown(size)})`)
  const descriptor: Descriptor = { mediaType, digest, size: size as number }
  if (typeof artifactType === 'string') descriptor.artifactType = artifactType
  const annotations = readAnnotations(value.annotations, where)
  if (annotations) descriptor.annotations = annotations
  const platform = readPlatform(value.platform)
  if (platform) descriptor.platform = platform
  if (Array.isArray(value.urls))
    descriptor.urls = value.urls.filter((each): each is string => typeof each === 'string')
  return descriptor
}

/** Only shown, never relied on: what is no platform is left out instead of refused. */
function readPlatform(value: unknown): Platform | undefined {
  if (!isObject(value)) return undefined
  const platform: Platform = {}
  for (const name of ['architecture', 'os', 'variant', 'os.version'] as const)
    if (typeof value[name] === 'string') platform[name] = value[name]
  const features = value['os.features']
  if (Array.isArray(features))
    platform['os.features'] = features.filter((each): each is string => typeof each === 'string')
  return platform
}

/** @throws MANIFEST_INVALID unless absent or a map of strings */
export function readAnnotations(value: unknown, where: string): Record<string, string> | undefined {
  if (value === undefined || value === null) return undefined
  if (!isObject(value) || Object.values(value).some((each) => typeof each !== 'string'))
    throw new RegistryError(
      'MANIFEST_INVALID',
      `manifest invalid: ${where} annotations are not a map of strings`,
    )
  return value as Record<string, string>
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'absent').slice(0, 100)
}
