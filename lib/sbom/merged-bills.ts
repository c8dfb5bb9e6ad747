// The packages of many images as few bills of materials: each package once, one bill for each distribution. Whether a
// version has a vulnerability depends on nothing else of the image.
import type { Bill, Package } from './bill.ts'

/** Packages of these are the distribution's, and judged by its advisories. */
const SYSTEM_TYPES = ['deb', 'rpm', 'apk']
/** Components of one bill at most: one run of the scanner. */
const BILL_PACKAGES = 50_000
const TRIVY = 'aquasecurity:trivy:'

/** A package among all: its place in the order in which they came. */
export type PackageNumber = number

interface Known {
  system: string
  each: Package
}

export class MergedBills {
  readonly #numbers = new Map<string, PackageNumber>()
  readonly #known: Known[] = []
  readonly #systems = new Map<string, NonNullable<Bill['system']>>()

  /** How many different ones there are. */
  get size(): number {
    return this.#known.length
  }

  add(packages: readonly Package[], system: Bill['system']): Uint32Array {
    const named = system ? `${system.name} ${system.version}` : ''
    if (system) this.#systems.set(named, system)
    return Uint32Array.from(packages, (each) =>
      this.#numberOf(each, SYSTEM_TYPES.includes(each.type) ? named : ''),
    )
  }

  #numberOf(each: Package, system: string): PackageNumber {
    const { purl, version, kind = '', source = '', sourceVersion = '' } = each
    const key = [system, purl, version, kind, source, sourceVersion].join('\n')
    const known = this.#numbers.get(key)
    if (known !== undefined) return known
    const number = this.#known.length
    this.#numbers.set(key, number)
    this.#known.push({ system, each })
    return number
  }

  /** CycloneDX; the `bom-ref` of each component is the number of its package. */
  *bills(): Generator<string> {
    const bySystem = new Map<string, PackageNumber[]>()
    for (const [number, { system }] of this.#known.entries()) {
      const some = bySystem.get(system)
      if (some) some.push(number)
      else bySystem.set(system, [number])
    }
    for (const [system, numbers] of bySystem)
      for (let at = 0; at < numbers.length; at += BILL_PACKAGES)
        yield this.#bill(this.#systems.get(system), numbers.slice(at, at + BILL_PACKAGES))
  }

  #bill(system: Bill['system'], numbers: PackageNumber[]): string {
    const refs = numbers.map(String)
    const root = { 'bom-ref': 'root', type: 'container', name: 'packages of many images' }
    const own = system && {
      ...{ 'bom-ref': 'system', type: 'operating-system', ...system },
      properties: properties({ Class: 'os-pkgs', Type: system.name }),
    }
    return JSON.stringify({
      bomFormat: 'CycloneDX',
      specVersion: '1.6',
      version: 1,
      metadata: { component: root },
      components: [
        ...(own ? [own] : []),
        ...numbers.map((number) => component(number, this.#known[number]!.each)),
      ],
      dependencies: own
        ? [
            { ref: 'root', dependsOn: ['system'] },
            { ref: 'system', dependsOn: refs },
          ]
        : [{ ref: 'root', dependsOn: refs }],
    })
  }
}

function component(number: PackageNumber, { namespace, name, version, purl, ...more }: Package): object {
  const { type, kind, source, sourceVersion } = more
  // Java's have their groups, npm's their scopes; a distribution is no group.
  const grouped = namespace !== '' && !SYSTEM_TYPES.includes(type)
  return {
    'bom-ref': String(number),
    type: 'library',
    ...(grouped ? { group: namespace } : {}),
    name,
    version,
    purl,
    properties: properties({ PkgType: kind, SrcName: source, SrcVersion: sourceVersion }),
  }
}

function properties(named: Record<string, string | undefined>): { name: string; value: string }[] {
  return Object.entries(named).flatMap(([name, value]) => (value ? [{ name: `${TRIVY}${name}`, value }] : []))
}
