// Loaded before the server by the sabotage switch `proxy-lease`: nobody looks whether another process fetches already.
import { registerHooks } from 'node:module'

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context)
    if (!url.endsWith('/lib/proxy/fetching.ts')) return loaded
    const source = String(loaded.source)
    const sabotaged = source
      .replace(/if \(!item \|\| [^)]*\) <= now\)/, 'if (true)')
      .replace(
        /return \(await registry\.metadata\.transact\(\[put\]\)\)\.ok \? holder : undefined/,
        'return holder',
      )
    if (sabotaged.length === source.length || !sabotaged.includes('return holder'))
      throw new Error('the lease is not where the sabotage looks for it')
    return { ...loaded, source: sabotaged }
  },
})
