// A partition read from end to end, a page at a time.
import type { Item, MetadataStore } from './ports.ts'

/** As many as one batch read takes. */
export const PAGE = 100

/** What is written behind the page that was read last is seen, what is written before it is not. */
export async function* pagesOf(
  metadata: MetadataStore,
  range: { pk: string; prefix?: string; after?: string },
): AsyncGenerator<Item[]> {
  let { after } = range
  for (;;) {
    const page = await metadata.query({ ...range, limit: PAGE, ...(after === undefined ? {} : { after }) })
    if (page.length > 0) yield page
    if (page.length < PAGE) return
    after = page.at(-1)!.sk
  }
}

/** The same from the end to the beginning. */
export async function* pagesBackwards(
  metadata: MetadataStore,
  range: { pk: string },
): AsyncGenerator<Item[]> {
  let before: string | undefined
  for (;;) {
    const page: Item[] = await metadata.query({
      ...range,
      limit: PAGE,
      reverse: true,
      ...(before === undefined ? {} : { after: before }),
    })
    if (page.length > 0) yield page
    if (page.length < PAGE) return
    before = page.at(-1)!.sk
  }
}
