// Numbers by which Harbor's API knows what pushes make. They follow from our own ids, so a push asks no counter.
import type { Digest } from '../oci/digest.ts'
import { stableNumber } from '../registry/numbers.ts'

export function repositoryNumber(repo: string): number {
  return stableNumber(`repository ${repo}`)
}

export function artifactNumber(repo: string, digest: Digest): number {
  return stableNumber(`artifact ${repo} ${digest}`)
}

export function tagNumber(repo: string, tag: string): number {
  return stableNumber(`tag ${repo} ${tag}`)
}

export function accessoryNumber(repo: string, subject: Digest, digest: Digest): number {
  return stableNumber(`accessory ${repo} ${subject} ${digest}`)
}
