// Loaded before the server: whatever is not here counts as the same as there.
import { registerHooks } from 'node:module'

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context)
    if (!url.endsWith('/lib/harbor-import/drift.ts')) return loaded
    const source = String(loaded.source)
    const sabotaged = source.replace('found === undefined ? absent :', 'found === undefined ? "same" :')
    if (sabotaged === source) throw new Error('what is missing is not where the sabotage looks for it')
    return { ...loaded, source: sabotaged }
  },
})
