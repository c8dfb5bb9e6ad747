// Trivy as somebody runs it by hand: what the scans of the product are compared with.
import { toolPath } from '../tools.ts'

export interface Report {
  ArtifactName: string
  Metadata: { OS?: { Family: string; Name: string }; RepoDigests?: string[] }
  Results?: Result[]
}

interface Result {
  Target: string
  Class: string
  Vulnerabilities?: Finding[]
  Secrets?: { RuleID: string; Severity: string }[]
  Misconfigurations?: { ID: string; Severity: string }[]
}

export interface Finding {
  VulnerabilityID: string
  PkgName: string
  InstalledVersion: string
  FixedVersion?: string
  Severity: string
  Description?: string
  PrimaryURL?: string
  References?: string[]
}

export interface TrivyRun {
  /** `HOST:PORT/PROJECT/NAME:TAG`, or the same with a digest. */
  image: string
  /** Keeps the database and what was found out of layers. */
  cache: string
  /** `HOST:PORT/PROJECT/NAME:2`; without, the database that the cache has is used, and nothing is asked. */
  database?: string
  /** Further options. */
  options?: string[]
}

/** What it would ask of the internet: its version, statistics, policies, Java archives. */
const ALONE =
  '--disable-telemetry --skip-version-check --skip-check-update --skip-java-db-update --skip-vex-repo-update'

/** The command line; the report is printed. Needs `AWAY` in its environment. */
export function trivyCommand({ image, cache, database, options = [] }: TrivyRun): string {
  const source = database ? `--db-repository ${database}` : '--skip-db-update'
  return [
    `trivy image --quiet --image-src remote --insecure --cache-dir ${cache} ${source} --offline-scan`,
    ...[ALONE, '--format json', ...options, image],
  ].join(' ')
}

/** Whoever turns to the internet is refused at once. */
export const AWAY = {
  PATH: toolPath,
  HTTPS_PROXY: 'http://127.0.0.1:9',
  HTTP_PROXY: 'http://127.0.0.1:9',
  NO_PROXY: '127.0.0.1',
}

export const findingsOf = (report: Report): Finding[] =>
  (report.Results ?? []).flatMap(({ Vulnerabilities }) => Vulnerabilities ?? [])
