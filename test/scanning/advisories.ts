// What the tests' database knows: of the two distributions and the npm package that the images have inside.

export type Severity = 'CRITICAL' | 'HIGH' | 'MEDIUM' | 'LOW' | 'UNKNOWN'

export interface Advisory {
  id: string
  /** Of the source package. */
  package: string
  in: 'alpine' | 'debian' | 'npm'
  /** The version that is free of it; none exists when absent (Debian alone says so). */
  fixed?: string
  severity: Severity
  description: string
}

export const ALPINE = '3.23'
/** Codename and number of the release. */
export const DEBIAN = { name: 'bookworm', number: '12' }

/** NVD's score and vector of a severity; what is unknown has none. */
export const CVSS: Record<Severity, { score: number; vector: string } | undefined> = {
  CRITICAL: { score: 9.8, vector: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' },
  HIGH: { score: 7.5, vector: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H' },
  MEDIUM: { score: 5.3, vector: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N' },
  LOW: { score: 3.3, vector: 'CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N' },
  UNKNOWN: undefined,
}

/** The three of the image `three`: a fixed one, one that nobody has fixed, one of an npm package. */
export const THREE: Advisory[] = [
  {
    id: 'CVE-2099-0001',
    package: 'openssl',
    in: 'debian',
    fixed: '3.0.17-1~deb12u3',
    severity: 'CRITICAL',
    description: 'A handshake of 16 KiB overruns the buffer it is read into.',
  },
  {
    id: 'CVE-2099-0002',
    package: 'zlib',
    in: 'debian',
    severity: 'HIGH',
    description: 'A crafted archive keeps inflate() busy for ever.',
  },
  {
    id: 'CVE-2099-0003',
    package: 'minimist',
    in: 'npm',
    fixed: '1.2.6',
    severity: 'MEDIUM',
    description: 'An argument named __proto__ changes every object.',
  },
]

/** Packages of the image `thousand`, and how many advisories each has: a thousand findings together. */
export const THOUSAND_PACKAGES = 200
export const OLD = '1.0.0-r0'
const NEW = '1.0.1-r0'
const EACH: Severity[] = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'UNKNOWN']

export const packageName = (number: number): string => `harbourware-${String(number).padStart(3, '0')}`

const THOUSAND: Advisory[] = Array.from({ length: THOUSAND_PACKAGES }, (_, number) =>
  EACH.map((severity, index) => ({
    id: `CVE-2098-${10_000 + number * EACH.length + index}`,
    package: packageName(number),
    in: 'alpine' as const,
    fixed: NEW,
    severity,
    description: `Fault ${index} of ${packageName(number)}.`,
  })),
).flat()

/** Everything that is known. */
export const ADVISORIES: Advisory[] = [...THREE, ...THOUSAND]
