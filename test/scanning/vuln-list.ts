// Advisories in the files of the sources that trivy-db reads: Alpine's secdb, Debian's tracker, GitHub's and NVD's.
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { type Advisory, ALPINE, CVSS, DEBIAN } from './advisories.ts'

/** The `--only-update` of trivy-db for what `writeVulnList` writes. */
export const SOURCES = ['nvd', 'alpine', 'debian', 'ghsa']

const TRACKER = 'vuln-list-debian/tracker'
const FOLDERS = [
  'vuln-list/alpine',
  'vuln-list-nvd/api',
  'cocoapods-specs/Specs',
  'ghsa/advisories/github-reviewed',
  ...['source', 'updates-source', 'CVE', 'DLA', 'DSA'].map((folder) => `${TRACKER}/${folder}`),
]

const PUBLISHED = '2026-01-15T12:00:00'
const MODIFIED = '2026-02-01T12:00:00'

/** @param directory becomes the `--cache-dir` of trivy-db */
export async function writeVulnList(directory: string, advisories: Advisory[]): Promise<void> {
  const write = async (file: string, content: object) => {
    const target = path.join(directory, file)
    await mkdir(path.dirname(target), { recursive: true })
    await writeFile(target, JSON.stringify(content))
  }
  const within = (where: Advisory['in']) => advisories.filter((each) => each.in === where)
  // Every folder is walked, and one that is missing is an error.
  for (const folder of FOLDERS) await mkdir(path.join(directory, folder), { recursive: true })

  for (const advisory of advisories)
    if (CVSS[advisory.severity]) await write(`vuln-list-nvd/api/${advisory.id}.json`, nvd(advisory))
  for (const [name, of] of Object.entries(Object.groupBy(within('alpine'), (each) => each.package)))
    await write(`vuln-list/alpine/${ALPINE}/main/${name}.json`, alpine(name, of!))
  const release = { 'major-version': DEBIAN.number, support: 'security', contact: '' }
  await write(`${TRACKER}/distributions.json`, { [DEBIAN.name]: release })
  for (const advisory of within('debian')) {
    const { package: name, fixed } = advisory
    // The tracker believes in a fix only once a release has a package of that version.
    const source = { Package: [name], Version: [fixed ?? '0'] }
    await write(`${TRACKER}/source/${DEBIAN.name}/main/${name[0]}/${name}.json`, source)
    await write(`${TRACKER}/CVE/${advisory.id}.json`, debian(advisory))
  }
  for (const advisory of within('npm'))
    await write(`ghsa/advisories/github-reviewed/${ghsaOf(advisory)}.json`, github(advisory))
}

function nvd({ id, description, severity }: Advisory): object {
  const { score, vector } = CVSS[severity]!
  const cvssData = { version: '3.1', vectorString: vector, baseScore: score, baseSeverity: severity }
  return {
    id,
    published: PUBLISHED,
    lastModified: MODIFIED,
    vulnStatus: 'Analyzed',
    descriptions: [{ lang: 'en', value: description }],
    metrics: { cvssMetricV31: [{ source: 'nvd@nist.gov', type: 'Primary', cvssData }] },
    weaknesses: [{ source: 'nvd@nist.gov', description: [{ lang: 'en', value: 'CWE-787' }] }],
    references: [{ url: `https://advisories.example/${id}` }, { url: `https://nvd.example/${id}` }],
  }
}

function alpine(name: string, advisories: Advisory[]): object {
  const secfixes: Record<string, string[]> = {}
  for (const { fixed, id } of advisories) {
    secfixes[fixed!] ??= []
    secfixes[fixed!]!.push(id)
  }
  return { name, secfixes, distroversion: `v${ALPINE}`, reponame: 'main' }
}

function debian({ id, package: name, fixed, description }: Advisory): object {
  const annotation = fixed ? { Kind: 'fixed', Version: fixed } : { Kind: 'unfixed' }
  return {
    Header: { ID: id, Description: `(${description})` },
    Annotations: [
      { Type: 'package', Package: name, ...annotation },
      { Type: 'package', Release: DEBIAN.name, Package: name, ...annotation },
    ],
  }
}

const ghsaOf = ({ id }: Advisory) => `GHSA-test-test-${id.slice(-4)}`

function github(advisory: Advisory): object {
  const { id, package: name, fixed, severity, description } = advisory
  return {
    schema_version: '1.4.0',
    id: ghsaOf(advisory),
    modified: `${MODIFIED}Z`,
    published: `${PUBLISHED}Z`,
    aliases: [id],
    summary: description,
    details: description,
    severity: [{ type: 'CVSS_V3', score: CVSS[severity]!.vector }],
    affected: [
      {
        package: { ecosystem: 'npm', name },
        ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed }] }],
      },
    ],
    references: [{ type: 'WEB', url: `https://github.example/${ghsaOf(advisory)}` }],
    database_specific: { severity: severity === 'MEDIUM' ? 'MODERATE' : severity },
  }
}
