// Every item there is, for checks and repairs; never on a request's path.
import type { Item, Key } from './ports.ts'
import type { Registry } from './registry.ts'

const PAGE = 500

export async function* scanItems(registry: Registry): AsyncGenerator<Item> {
  let after: Key | undefined
  for (;;) {
    const page = await registry.metadata.scan(after, PAGE)
    yield* page
    if (page.length < PAGE) return
    const last = page.at(-1)!
    after = { pk: last.pk, sk: last.sk }
  }
}
