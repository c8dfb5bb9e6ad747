// A program that answers like trivy with a report that was made for the repository: for tests of what becomes of reports.
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Client, MANIFEST, pushBlob } from '../api/client.ts'
import type { Harbor } from '../api/management.ts'

/** As trivy writes them (github.com/aquasecurity/trivy pkg/types/vulnerability.go). */
export interface TrivyFinding {
  VulnerabilityID: string
  PkgName: string
  InstalledVersion: string
  FixedVersion?: string
  Status?: string
  Severity: string
  Title?: string
  Description?: string
  PrimaryURL?: string
  CweIDs?: string[]
  CVSS?: Record<string, { V3Score?: number; V3Vector?: string }>
}

export interface CannedTrivy {
  /** Of the server: `startServer({ args })`. */
  args: string[]
  /** What it finds in every image of a repository from now on. */
  finds(repository: string, findings: TrivyFinding[]): Promise<void>
  close(): Promise<void>
}

const SCRIPT = `#!/usr/bin/env bash
set -eu
if [ "$1" = version ]; then echo '{"Version":"0.72.0"}'; exit 0; fi
while [ "$1" != --output ]; do shift; done
name=\${3#*/}; name=\${name%@*}
cp "$(dirname "$0")/\${name//\\//_}.json" "$2"
`

export async function cannedTrivy(): Promise<CannedTrivy> {
  const directory = await mkdtemp(path.join(tmpdir(), 'entrepot-canned-'))
  const program = path.join(directory, 'trivy')
  await writeFile(program, SCRIPT)
  await chmod(program, 0o755)
  const cache = path.join(directory, 'cache')
  await mkdir(path.join(cache, 'db'), { recursive: true })
  await writeFile(path.join(cache, 'db', 'trivy.db'), '')
  return {
    args: ['--trivy', program, '--trivy-skip-update', 'on', '--trivy-cache', cache],
    finds: (repository, Vulnerabilities) =>
      writeFile(
        path.join(directory, `${repository.replaceAll('/', '_')}.json`),
        JSON.stringify({ SchemaVersion: 2, Results: [{ Target: 'os', Vulnerabilities }] }),
      ),
    close: () => rm(directory, { recursive: true, force: true }),
  }
}

/** Something a scanner looks into, different for each tag. @returns its digest */
export async function pushScannable(http: Client, name: string, tag: string): Promise<string> {
  const configBytes = JSON.stringify({ architecture: 'amd64', os: 'linux', author: `${name}:${tag}` })
  const layerBytes = `layer of ${name}`
  const [config, layer] = [await pushBlob(http, name, configBytes), await pushBlob(http, name, layerBytes)]
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: config,
      size: configBytes.length,
    },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: layer, size: layerBytes.length }],
  })
  const headers = { 'content-type': MANIFEST }
  const answer = await http('PUT', `/v2/${name}/manifests/${tag}`, { headers, body })
  if (answer.status !== 201) throw new Error(`${answer.status} ${answer.body}`)
  return answer.headers['docker-content-digest'] as string
}

/** Scans an artifact and waits for the end. @returns how it ended */
export async function scanned(admin: Harbor, name: string, reference: string): Promise<string> {
  const [project, ...rest] = name.split('/')
  const repository = encodeURIComponent(encodeURIComponent(rest.join('/')))
  const path = `/projects/${project}/repositories/${repository}/artifacts/${reference}`
  const begun = await admin('POST', `${path}/scan`)
  if (begun.status !== 202) throw new Error(`${begun.status} ${begun.body}`)
  for (;;) {
    const { json } = await admin('GET', `${path}?with_scan_overview=true`)
    const [found] = Object.values(json.scan_overview ?? {}) as { scan_status: string }[]
    if (found && !['Pending', 'Running'].includes(found.scan_status)) return found.scan_status
    await sleep(50)
  }
}
