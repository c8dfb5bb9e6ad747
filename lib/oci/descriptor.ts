// Content descriptors: image-spec v1.1 descriptor.md.
import { type Digest, isDigest } from './digest.ts'
import { RegistryError } from './errors.ts'

export interface Descriptor {
  mediaType: string
  digest: Digest
  size: number
  artifactType?: string
  annotations?: Record<string, string>
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
  return descriptor
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
