// Keys of the blob store, as keys.ts draws them.
import type { Digest } from '../oci/digest.ts'

export const objectKeys = {
  all: 'b/',
  blob: (repo: string, id: string) => `b/${repo}/u/${id}`,
  manifest: (repo: string, id: string) => `b/${repo}/m/${id}`,
  report: (repo: string, id: string) => `b/${repo}/r/${id}`,
  export: (project: string, id: string) => `b/${project}/x/${id}`,
  direct: (repo: string, digest: Digest, session: string) => `${directPrefix(repo, digest)}${session}`,
  directPrefix,
}

function directPrefix(repo: string, digest: Digest): string {
  return `b/${repo}/${digest.replace(':', '/')}/`
}
