// Somebody else at the same time: an act of theirs just before a call of a port, so that a race has one outcome.
import type { BlobStore, MetadataStore } from '../../lib/registry/ports.ts'
import type { Registry } from '../../lib/registry/registry.ts'

type Methods<Port> = {
  [Name in keyof Port]-?: NonNullable<Port[Name]> extends (...args: infer Args) => unknown ? Args : never
}
type Calls = Methods<MetadataStore> & Methods<BlobStore>

/**
 * The registry as one process sees it, in which `act` happens before a call of `method`.
 * @param act what others do; a call it throws in never reaches the store
 * @param turn which call: 0 the first, 'every' all of them
 */
export function before<Method extends keyof Calls>(
  registry: Registry,
  method: Method,
  act: (...args: Calls[Method]) => unknown,
  turn: number | 'every' = 0,
): Registry {
  let calls = 0
  const bent = <Port extends object>(port: Port): Port =>
    new Proxy(port, {
      get(target, name) {
        const original = Reflect.get(target, name)
        if (name !== method || typeof original !== 'function') return original
        return async (...args: Calls[Method]) => {
          const mine = calls++
          if (turn === 'every' || turn === mine) await act(...args)
          return original.apply(target, args)
        }
      },
    })
  return { ...registry, metadata: bent(registry.metadata), blobs: bent(registry.blobs) }
}

/** A registry in which others are always quicker: no transaction finds things as they were read. */
export function busy(registry: Registry): Registry {
  const transact = async () => ({ ok: false as const, failed: [0] })
  return { ...registry, metadata: { ...registry.metadata, transact } }
}
