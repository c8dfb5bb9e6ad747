// Configs: small JSON blobs, as far as they are that. A pusher may put any bytes there.
import { type Descriptor, isObject } from '../oci/descriptor.ts'
import { readLink } from './links.ts'
import type { Registry } from './registry.ts'
import { allBytes } from './stored-bytes.ts'

const LIMIT_BYTES = 4 * 1024 * 1024

/** @returns undefined for what is not there, too large, or no JSON object */
export async function readJsonBlob(
  registry: Registry,
  repo: string,
  { digest }: Descriptor,
): Promise<Record<string, unknown> | undefined> {
  const link = await readLink(registry, repo, digest)
  if (!link || link.sizeBytes > LIMIT_BYTES) return undefined
  const body = await registry.blobs.open(link.object)
  if (!body) return undefined
  try {
    const parsed: unknown = JSON.parse(Buffer.from(await allBytes(body)).toString('utf8'))
    return isObject(parsed) ? parsed : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
