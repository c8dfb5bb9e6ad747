// Ruby's versions (Gem::Version): letters make a version one that comes before its number.
import { compareNumbers } from './debian.ts'

export function compareRuby(one: string, other: string): number {
  const [a, b] = [segmentsOf(one), segmentsOf(other)]
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const [left, right] = [a[at] ?? '0', b[at] ?? '0']
    const [isNumber, isOther] = [/^\d/.test(left), /^\d/.test(right)]
    if (isNumber !== isOther) return isNumber ? 1 : -1
    const order = isNumber ? compareNumbers(left, right) : left < right ? -1 : Number(left > right)
    if (order !== 0) return order
  }
  return 0
}

function segmentsOf(version: string): string[] {
  return version.replaceAll('-', '.pre.').match(/\d+|[a-z]+/gi) ?? []
}
