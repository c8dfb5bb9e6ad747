// Loaded before the server by the sabotage switch `roles`: guests may push.
import { registerHooks } from 'node:module'

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context)
    if (!url.endsWith('/lib/access/roles.ts')) return loaded
    const source = String(loaded.source)
    const sabotaged = source.replace(/(repository: row\(\s*'[^']*',\s*')([^']*)'/, "$1$2 push'")
    if (sabotaged === source) throw new Error('the roles of guests are not where the sabotage looks for them')
    return { ...loaded, source: sabotaged }
  },
})
