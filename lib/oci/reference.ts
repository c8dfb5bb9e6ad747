// Names, tags and references: distribution-spec v1.1.1 §"Pulling manifests".
import { type Digest, parseDigest } from './digest.ts'
import { RegistryError } from './errors.ts'

/** `<name>`: at most 255 characters, so that clients' host/name limit holds. */
const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/
const NAME_LIMIT = 255

export type Reference = { kind: 'tag'; tag: string } | { kind: 'digest'; digest: Digest }

/** @throws NAME_INVALID */
export function parseName(text: string): string {
  if (text.length > NAME_LIMIT)
    throw new RegistryError(
      'NAME_INVALID',
      `repository name of ${text.length} characters: at most ${NAME_LIMIT} are allowed`,
    )
  if (!NAME.test(text))
    throw new RegistryError(
      'NAME_INVALID',
      `invalid repository name ${JSON.stringify(text)}: lowercase letters, digits and single separators . _ __ - between them, components joined by /`,
    )
  return text
}

export function isName(text: string): boolean {
  return text.length <= NAME_LIMIT && NAME.test(text)
}

export function isTag(text: string): boolean {
  return TAG.test(text)
}

/** @throws TAG_INVALID, DIGEST_INVALID */
export function parseReference(text: string): Reference {
  if (text.includes(':')) return { kind: 'digest', digest: parseDigest(text) }
  if (!isTag(text))
    throw new RegistryError(
      'TAG_INVALID',
      `invalid tag ${JSON.stringify(text.slice(0, 160))}: up to 128 of A-Z a-z 0-9 _ . - and no leading . or -`,
    )
  return { kind: 'tag', tag: text }
}

/** The project a repository belongs to: the first path component of its name. */
export function projectOf(name: string): string {
  const slash = name.indexOf('/')
  return slash < 0 ? name : name.slice(0, slash)
}
