// RPM's versions (rpm-version(7)): `epoch:version-release`; `~` sorts before the end, `^` right after it.
import { compareNumbers } from './debian.ts'

export function compareRpm(one: string, other: string): number {
  const [a, b] = [partsOf(one), partsOf(other)]
  const order = compareNumbers(a.epoch, b.epoch) || compareSegments(a.version, b.version)
  // Whoever names no release means all of them.
  if (order !== 0 || a.release === undefined || b.release === undefined) return order
  return compareSegments(a.release, b.release)
}

function partsOf(text: string) {
  const [, epoch = '0', version, release] = /^(?:(\d+):)?([^-]*)(?:-(.*))?$/s.exec(text)!
  return { epoch, version: version!, release }
}

const SEGMENT = /\d+|[A-Za-z]+|[~^]/g

/** Runs of digits and of letters; what stands between them only separates. */
export function compareSegments(one: string, other: string): number {
  const [a, b] = [one.match(SEGMENT) ?? [], other.match(SEGMENT) ?? []]
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const order = compareSegment(a[at], b[at])
    if (order !== 0) return order
  }
  return 0
}

function compareSegment(one: string | undefined, other: string | undefined): number {
  if (one === other) return 0
  if (one === '~' || other === '~') return one === '~' ? -1 : 1
  // After the end, but before whatever else goes on.
  if (one === '^') return other === undefined ? 1 : -1
  if (other === '^') return one === undefined ? -1 : 1
  if (one === undefined || other === undefined) return one === undefined ? -1 : 1
  const [isNumber, isOther] = [/^\d/.test(one), /^\d/.test(other)]
  if (isNumber !== isOther) return isNumber ? 1 : -1
  if (isNumber) return compareNumbers(one, other)
  return one < other ? -1 : 1
}
