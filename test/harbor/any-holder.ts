// Loaded before the server by the sabotage switch `any-holder`: whoever asks where a blob is gets any repository.
import { registerHooks } from 'node:module'

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context)
    if (!url.endsWith('/lib/artifacts/blob-holders.ts')) return loaded
    const source = String(loaded.source)
    const sabotaged = source.replace(
      /return term\?\.kind === 'exact' \? term\.value : undefined/,
      'return undefined',
    )
    if (sabotaged === source) throw new Error('the filter is not where the sabotage looks for it')
    return { ...loaded, source: sabotaged }
  },
})
