// Loaded before the server by the sabotage switch `security-sums`: what a scan found before the last one is counted too.
import { registerHooks } from 'node:module'

const DIFFERENCE = '(now?.counts[each] ?? 0) - (old?.counts[each] ?? 0)'

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context)
    if (!url.endsWith('/lib/scanning/scan-totals.ts')) return loaded
    const source = String(loaded.source)
    if (!source.includes(DIFFERENCE)) throw new Error('sums are not changed where the sabotage looks for it')
    return { ...loaded, source: source.replace(DIFFERENCE, '(now?.counts[each] ?? 0)') }
  },
})
