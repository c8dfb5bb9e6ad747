// Loaded before the server by the sabotage switch `audit`: what people do is noted twice.
import { registerHooks } from 'node:module'

const WRITES = 'await registry.metadata.batchWrite(auditWrites(registry, entry))'

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context)
    if (!url.endsWith('/lib/registry/audit-log.ts')) return loaded
    const source = String(loaded.source)
    if (!source.includes(WRITES)) throw new Error('entries are not written where the sabotage looks for it')
    return { ...loaded, source: source.replace(WRITES, `${WRITES}; ${WRITES}`) }
  },
})
