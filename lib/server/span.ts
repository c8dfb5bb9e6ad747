// How long back somebody wants to look: `12h`, `30d`.
import { UsageError } from './operation.ts'

const UNIT_MS: Record<string, number> = { h: 3_600_000, d: 86_400_000 }

/** @throws UsageError */
export function spanMs(text: string): number {
  const [, count, unit] = /^(\d{1,4})([hd])$/.exec(text) ?? []
  if (unit === undefined) throw new UsageError('--last takes hours or days, such as 12h or 30d')
  return Number(count) * UNIT_MS[unit]!
}
