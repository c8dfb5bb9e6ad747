// Debian's versions (deb-version(7)): `epoch:upstream-revision`, where `~` sorts before everything, even the end.

export function compareDebian(one: string, other: string): number {
  const [a, b] = [partsOf(one), partsOf(other)]
  return a.epoch - b.epoch || comparePart(a.upstream, b.upstream) || comparePart(a.revision, b.revision)
}

function partsOf(version: string) {
  const colon = version.indexOf(':')
  const rest = version.slice(colon + 1)
  const dash = rest.lastIndexOf('-')
  return {
    epoch: colon < 0 ? 0 : Number(version.slice(0, colon)) || 0,
    upstream: dash < 0 ? rest : rest.slice(0, dash),
    revision: dash < 0 ? '' : rest.slice(dash + 1),
  }
}

/** Text and numbers in turns. */
function comparePart(one: string, other: string): number {
  const [a, b] = [turnsOf(one), turnsOf(other)]
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const [textA = '', numberA = '0'] = a[at] ?? []
    const [textB = '', numberB = '0'] = b[at] ?? []
    const order = compareText(textA, textB) || compareNumbers(numberA, numberB)
    if (order !== 0) return order
  }
  return 0
}

function turnsOf(part: string): [string, string][] {
  return [...part.matchAll(/(\D*)(\d*)/g)]
    .filter(([whole]) => whole !== '')
    .map(([, text, digits]) => [text!, digits || '0'])
}

function compareText(one: string, other: string): number {
  for (let at = 0; at < Math.max(one.length, other.length); at++) {
    const order = weight(one[at]) - weight(other[at])
    if (order !== 0) return order
  }
  return 0
}

/** Letters before other signs. */
function weight(sign: string | undefined): number {
  if (sign === undefined) return 0
  if (sign === '~') return -1
  return /[A-Za-z]/.test(sign) ? sign.charCodeAt(0) : sign.charCodeAt(0) + 256
}

/** Digits of any length, which JavaScript's numbers are not. */
export function compareNumbers(one: string, other: string): number {
  const [a, b] = [one.replace(/^0+/, ''), other.replace(/^0+/, '')]
  if (a.length !== b.length) return a.length - b.length
  return a < b ? -1 : Number(a > b)
}
