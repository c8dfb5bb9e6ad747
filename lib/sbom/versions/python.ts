// Python's versions (PEP 440): `1!2.0.0rc1.post2.dev3+local`.
import { compareNumbers } from './debian.ts'

const PATTERN =
  /^v?(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[-_.]?(a|b|c|rc|alpha|beta|pre|preview)[-_.]?(\d*))?(?:-(\d+)|[-_.]?(post|rev|r)[-_.]?(\d*))?(?:[-_.]?(dev)[-_.]?(\d*))?(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?$/
const PHASES: Record<string, number> = { a: 0, alpha: 0, b: 1, beta: 1, c: 2, rc: 2, pre: 2, preview: 2 }
/** Of what is none: later than every candidate. */
const FINAL = 3

/** @returns undefined where one of them is no version of Python's */
export function comparePython(one: string, other: string): number | undefined {
  const [a, b] = [partsOf(one), partsOf(other)]
  if (!a || !b) return undefined
  return (
    compareNumbers(a.epoch, b.epoch) ||
    compareReleases(a.release, b.release) ||
    a.phase - b.phase ||
    compareNumbers(a.candidate, b.candidate) ||
    comparePresent(a.post, b.post, -1) ||
    comparePresent(a.dev, b.dev, 1) ||
    compareLocal(a.local, b.local)
  )
}

function partsOf(text: string) {
  const match = PATTERN.exec(text.trim().toLowerCase())
  if (!match) return undefined
  const [, epoch = '0', release, phase, candidate, implicit, post, postNumber, dev, devNumber, local] = match
  const isPost = implicit !== undefined || post !== undefined
  // A development release of a final one comes before its candidates.
  const devOnly = dev !== undefined && phase === undefined && !isPost
  return {
    epoch,
    release: release!.split('.'),
    phase: phase === undefined ? (devOnly ? -1 : FINAL) : PHASES[phase]!,
    candidate: candidate || '0',
    post: isPost ? implicit || postNumber || '0' : undefined,
    dev: dev === undefined ? undefined : devNumber || '0',
    local: local?.split(/[-_.]/) ?? [],
  }
}

function compareReleases(one: string[], other: string[]): number {
  for (let at = 0; at < Math.max(one.length, other.length); at++) {
    const order = compareNumbers(one[at] ?? '0', other[at] ?? '0')
    if (order !== 0) return order
  }
  return 0
}

/** @param absent how what is not there compares with what is */
function comparePresent(one: string | undefined, other: string | undefined, absent: number): number {
  if (one !== undefined && other !== undefined) return compareNumbers(one, other)
  if (one === other) return 0
  return one === undefined ? absent : -absent
}

function compareLocal(one: string[], other: string[]): number {
  for (let at = 0; at < Math.max(one.length, other.length); at++) {
    const [a, b] = [one[at], other[at]]
    if (a === undefined || b === undefined) return a === undefined ? -1 : 1
    const [isNumber, isOther] = [/^\d+$/.test(a), /^\d+$/.test(b)]
    if (isNumber !== isOther) return isNumber ? 1 : -1
    const order = isNumber ? compareNumbers(a, b) : a < b ? -1 : Number(a > b)
    if (order !== 0) return order
  }
  return 0
}
