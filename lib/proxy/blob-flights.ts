// Blobs on their way from an upstream: fetched once, sent to everybody who waits for them in this process while they are
// stored; other processes read what was stored.
import type { Digest } from '../oci/digest.ts'
import { commitUpload } from '../registry/commit-upload.ts'
import { type Link, readLink } from '../registry/links.ts'
import type { Registry } from '../registry/registry.ts'
import { readRepository } from '../registry/repositories.ts'
import { startUpload } from '../registry/uploads.ts'
import type { UpstreamBlob } from '../upstream/upstream.ts'
import { openCachedRepository } from './cached-repository.ts'
import { fetchOnce } from './fetching.ts'
import type { OpenSpool, Spool } from './spool.ts'

/** A blob that has begun to come. */
export interface Growing {
  sizeBytes: number
  /** Its last bytes come only once all of them were found to be right; otherwise it breaks off. */
  body: AsyncIterable<Uint8Array>
}

export interface Flight {
  /** Undefined where it has to be waited for: it comes through another process, or nobody knows how long it is. */
  growing: Promise<(() => Growing) | undefined>
  stored: Promise<Link>
}

export interface BlobFlightParts {
  registry: Registry
  /** Absent where nothing can be sent before it is stored. */
  openSpool?: OpenSpool
}

export class BlobFlights {
  readonly #parts: BlobFlightParts
  readonly #flights = new Map<string, Flight>()

  constructor(parts: BlobFlightParts) {
    this.#parts = parts
  }

  /** @param open asks the upstream for it; called by whoever fetches it. @throws UpstreamError by its promises */
  fly(name: string, digest: Digest, open: () => Promise<UpstreamBlob>): Flight {
    const what = `${name}@${digest}`
    const known = this.#flights.get(what)
    if (known) return known
    const began = Promise.withResolvers<(() => Growing) | undefined>()
    const stored: Promise<Link> = fetchOnce(this.#parts.registry, {
      what,
      find: () => findLink(this.#parts.registry, name, digest),
      fetch: () => this.#fetch(name, digest, open, began.resolve, () => stored),
    })
    const flight: Flight = { growing: began.promise, stored }
    this.#flights.set(what, flight)
    stored
      .then(() => began.resolve(undefined), began.reject)
      .finally(() => this.#flights.delete(what))
      .catch(() => {})
    began.promise.catch(() => {}) // whoever waits for it is told
    return flight
  }

  async #fetch(
    name: string,
    digest: Digest,
    open: () => Promise<UpstreamBlob>,
    began: (growing: (() => Growing) | undefined) => void,
    stored: () => Promise<Link>,
  ): Promise<Link> {
    const { registry, openSpool } = this.#parts
    const repository = await openCachedRepository(registry, name)
    const blob = await open()
    const { sizeBytes } = blob
    const spool = sizeBytes === undefined ? undefined : await openSpool?.()
    if (spool && sizeBytes !== undefined)
      began(() => ({ sizeBytes, body: untilStored(spool, sizeBytes, stored) }))
    try {
      const bytes = spool ? copied(blob.body, spool) : blob.body
      await commitUpload(registry, startUpload(registry, repository.id), digest, { bytes })
      await spool?.end()
    } catch (error) {
      blob.discard()
      await spool?.end(error)
      throw error
    }
    const link = await readLink(registry, repository.id, digest)
    if (!link) throw new Error(`blob ${digest} was stored and is not there`)
    return link
  }
}

/** @returns undefined when it is not there, or damaged */
async function findLink(registry: Registry, name: string, digest: Digest): Promise<Link | undefined> {
  const found = await readRepository(registry, name)
  const link = found && (await readLink(registry, found.repository.id, digest))
  return link?.state === 'corrupt' ? undefined : link
}

async function* copied(body: AsyncIterable<Uint8Array>, spool: Spool): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    await spool.write(chunk)
    yield chunk
  }
}

/** Nobody is left with a whole blob that turned out to be wrong. */
async function* untilStored(
  spool: Spool,
  sizeBytes: number,
  stored: () => Promise<unknown>,
): AsyncGenerator<Uint8Array> {
  let sent = 0
  for await (const chunk of spool.read()) {
    if (sent + chunk.length >= sizeBytes) await stored()
    sent += chunk.length
    yield chunk
  }
}
