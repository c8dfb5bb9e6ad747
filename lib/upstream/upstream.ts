// Another registry, as one reads it: manifests and blobs, checked against their digests (distribution-spec v1.1.1).
import { createHash } from 'node:crypto'
import { algorithmOf, type Digest, digestOf, finishDigest, isDigest } from '../oci/digest.ts'
import { MANIFEST_LIMIT_BYTES } from '../oci/manifest.ts'
import { MANIFEST_KINDS } from '../oci/media-types.ts'
import { type Incoming, readBounded } from '../outbound/http-client.ts'
import type { Exchange } from './exchange.ts'
import { asUpstreamError } from './failures.ts'
import { type Provider, repositoryAt } from './providers.ts'
import { UpstreamError } from './upstream-error.ts'

export interface ManifestHead {
  digest: Digest
  mediaType: string
  sizeBytes: number
}

export interface UpstreamManifest {
  digest: Digest
  mediaType: string
  bytes: Buffer
}

export interface UpstreamBlob {
  /** As announced, where it was. */
  sizeBytes: number | undefined
  /** @throws UpstreamError `lying` at its end when digest or length are wrong, and as soon as there is too much */
  body: AsyncIterable<Uint8Array>
  discard(): void
}

const ACCEPT = { accept: [...Object.keys(MANIFEST_KINDS), 'application/json;q=0.5', '*/*;q=0.1'].join(', ') }

export class Upstream {
  readonly provider: Provider
  readonly exchange: Exchange
  /** Of the URL that speaks the protocol. */
  readonly host: string

  constructor(provider: Provider, exchange: Exchange, host: string) {
    this.provider = provider
    this.exchange = exchange
    this.host = host
  }

  /** Whether it speaks the protocol and takes the login. @throws UpstreamError */
  async ping(): Promise<void> {
    const answer = await this.exchange.send({ method: 'GET', path: '/v2/', scope: '' })
    answer.discard()
  }

  /**
   * What a tag names there, or whether there is such a digest.
   * @returns undefined when there is none
   * @throws UpstreamError
   */
  async headManifest(repository: string, reference: string): Promise<ManifestHead | undefined> {
    const answer = await this.exchange.send({
      ...this.#manifest('HEAD', repository, reference),
      expected: [404],
    })
    answer.discard()
    if (answer.status === 404) return undefined
    const digest = announcedDigest(answer) ?? (isDigest(reference) ? reference : undefined)
    if (digest) return { digest, mediaType: mediaTypeOf(answer), sizeBytes: lengthOf(answer) ?? 0 }
    // Some registries tell no digest without the body.
    const { bytes, mediaType, ...whole } = await this.getManifest(repository, reference)
    return { digest: whole.digest, mediaType, sizeBytes: bytes.length }
  }

  /** @throws UpstreamError `absent`, `lying` when the bytes are not of the digest asked for or announced, … */
  async getManifest(repository: string, reference: string): Promise<UpstreamManifest> {
    const answer = await this.exchange.send(this.#manifest('GET', repository, reference))
    const bytes = await readBounded(answer, MANIFEST_LIMIT_BYTES).catch((error) => {
      throw asUpstreamError(error)
    })
    const length = lengthOf(answer)
    if (length !== undefined && length !== bytes.length)
      throw lying(answer, `announced ${length} bytes of a manifest and sent ${bytes.length}`)
    const expected = isDigest(reference) ? reference : announcedDigest(answer)
    const digest = digestOf(bytes, expected ? algorithmOf(expected) : 'sha256')
    if (expected !== undefined && expected !== digest)
      throw lying(answer, `sent a manifest of digest ${digest} for ${expected}`)
    return { digest, mediaType: mediaTypeOf(answer), bytes }
  }

  /** @returns its size, or undefined when the repository has no such blob. @throws UpstreamError */
  async headBlob(repository: string, digest: Digest): Promise<{ sizeBytes: number } | undefined> {
    const answer = await this.exchange.send({ ...this.#blob('HEAD', repository, digest), expected: [404] })
    answer.discard()
    return answer.status === 404 ? undefined : { sizeBytes: lengthOf(answer) ?? 0 }
  }

  /**
   * @param limitBytes more than these are refused as soon as they are there
   * @throws UpstreamError
   */
  async getBlob(repository: string, digest: Digest, limitBytes: number): Promise<UpstreamBlob> {
    const answer = await this.exchange.send(this.#blob('GET', repository, digest))
    const sizeBytes = lengthOf(answer)
    if (sizeBytes !== undefined && sizeBytes > limitBytes) {
      answer.discard()
      throw lying(answer, `announces ${sizeBytes} bytes for ${digest}, where at most ${limitBytes} can be`)
    }
    const body = verified(answer, digest, sizeBytes, limitBytes)
    return { sizeBytes, body, discard: answer.discard }
  }

  /**
   * A blob's bytes from there to its end. Only as a whole can they be checked against the digest: whoever takes a rest
   * checks it together with what was there before.
   * @throws UpstreamError
   */
  async *readBlob(
    repository: string,
    digest: Digest,
    sizeBytes: number,
    fromByte: number,
  ): AsyncGenerator<Uint8Array> {
    if (fromByte === 0) return yield* (await this.getBlob(repository, digest, sizeBytes)).body
    const headers = { range: `bytes=${fromByte}-` }
    const answer = await this.exchange.send({ ...this.#blob('GET', repository, digest), headers })
    // Who does not know ranges sends everything.
    yield* rest(answer, digest, answer.status === 206 ? fromByte : 0, fromByte, sizeBytes)
  }

  /** Referrers by the API, else by the tag that older registries keep them under. @returns an index's bytes */
  async getReferrers(repository: string, digest: Digest): Promise<Buffer | undefined> {
    const answer = await this.exchange.send({
      method: 'GET',
      path: `/v2/${this.at(repository)}/referrers/${digest}`,
      scope: this.pullScope(repository),
      expected: [400, 404, 405],
    })
    if (answer.status < 300)
      return readBounded(answer, MANIFEST_LIMIT_BYTES).catch((error) => {
        throw asUpstreamError(error)
      })
    answer.discard()
    const tag = digest.replace(':', '-')
    if (!(await this.headManifest(repository, tag))) return undefined
    return (await this.getManifest(repository, tag)).bytes
  }

  /** The repository's name there. */
  at(repository: string): string {
    return repositoryAt(this.provider, repository)
  }

  pullScope(repository: string): string {
    return `repository:${this.at(repository)}:pull`
  }

  #manifest(method: string, repository: string, reference: string) {
    const path = `/v2/${this.at(repository)}/manifests/${reference}`
    return { method, path, scope: this.pullScope(repository), headers: ACCEPT }
  }

  #blob(method: string, repository: string, digest: Digest) {
    const path = `/v2/${this.at(repository)}/blobs/${digest}`
    return { method, path, scope: this.pullScope(repository) }
  }
}

async function* verified(
  answer: Incoming,
  digest: Digest,
  announcedBytes: number | undefined,
  limitBytes: number,
): AsyncGenerator<Uint8Array> {
  const algorithm = algorithmOf(digest)
  const hash = createHash(algorithm)
  const most = announcedBytes ?? limitBytes
  let size = 0
  try {
    for await (const chunk of answer.body) {
      size += chunk.length
      if (size > most) throw lying(answer, `sends more than ${most} bytes for ${digest}`)
      hash.update(chunk)
      yield chunk
    }
  } catch (error) {
    throw asUpstreamError(error)
  }
  if (announcedBytes !== undefined && size !== announcedBytes)
    throw lying(answer, `announced ${announcedBytes} bytes for ${digest} and sent ${size}`)
  const actual = finishDigest(hash, algorithm)
  if (actual !== digest) throw lying(answer, `sent ${size} bytes of digest ${actual} for ${digest}`)
}

/** The bytes between `fromByte` and `sizeBytes` of an answer that begins at `at`. */
async function* rest(
  answer: Incoming,
  digest: Digest,
  at: number,
  fromByte: number,
  sizeBytes: number,
): AsyncGenerator<Uint8Array> {
  let position = at
  try {
    for await (const chunk of answer.body) {
      const skipped = Math.max(0, fromByte - position)
      position += chunk.length
      if (position > sizeBytes) throw lying(answer, `sends more than ${sizeBytes} bytes for ${digest}`)
      if (skipped < chunk.length) yield chunk.subarray(skipped)
    }
  } catch (error) {
    throw asUpstreamError(error)
  }
  if (position !== sizeBytes) throw lying(answer, `sent ${digest} only to byte ${position} of ${sizeBytes}`)
}

function lying({ url, status }: Incoming, what: string): UpstreamError {
  return new UpstreamError('lying', `${url.host} ${what}`, { status })
}

function announcedDigest({ headers }: Incoming): Digest | undefined {
  const header = headers['docker-content-digest']
  return typeof header === 'string' && isDigest(header) ? header : undefined
}

function lengthOf({ headers }: Incoming): number | undefined {
  const header = headers['content-length']
  return header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : undefined
}

function mediaTypeOf({ headers }: Incoming): string {
  return (headers['content-type'] ?? 'application/octet-stream').split(';')[0]!.trim()
}
