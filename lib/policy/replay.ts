// What a policy would have refused of the pulls there were, by the audit log and what is known of the images now.
import { isDigest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { projectOf } from '../oci/reference.ts'
import { type AuditEntry, auditEntries } from '../registry/audit-log.ts'
import { findManifest } from '../registry/manifests.ts'
import { findProject } from '../registry/projects.ts'
import type { Registry } from '../registry/registry.ts'
import { readSystemAllowlist } from '../registry/system-allowlist.ts'
import { judge } from './judge.ts'
import type { PolicyFile } from './policy-file.ts'
import { type PullPolicy, pullPolicy } from './pull-policy.ts'
import { readTrust } from './signature-trust.ts'
import type { Violation } from './violation.ts'

export interface ReplayedPulls {
  repository: string
  /** The tag asked for; undefined for a digest. */
  tag?: string
  digest: string
  pulls: number
  principals: string[]
  lastAtMs: number
  /** Empty: it would have been pulled. */
  violations: Violation[]
}

export interface Replay {
  pulls: number
  /** Of images that are not here any more: nobody knows. */
  gone: number
  refused: ReplayedPulls[]
}

export async function replay(registry: Registry, file: PolicyFile, sinceMs: number): Promise<Replay> {
  const judgeOnce = judgeOf(registry, file)
  const result: Replay = { pulls: 0, gone: 0, refused: [] }
  for (const group of (await groups(registry, file, sinceMs)).values()) {
    result.pulls += group.pulls
    const violations = await judgeOnce(group.repository, group.digest)
    if (!violations) result.gone += group.pulls
    else if (violations.length > 0) result.refused.push({ ...group, violations })
  }
  result.refused.sort((a, b) => b.pulls - a.pulls || (a.repository < b.repository ? -1 : 1))
  return result
}

async function groups(
  registry: Registry,
  { projects }: PolicyFile,
  sinceMs: number,
): Promise<Map<string, ReplayedPulls>> {
  const found = new Map<string, ReplayedPulls>()
  for await (const entry of auditEntries(registry)) {
    if (entry.atMs < sinceMs) break
    const pull = pullIn(entry)
    if (pull && (!projects || projects.includes(projectOf(pull.repository)))) add(found, pull)
  }
  return found
}

interface Pull {
  repository: string
  tag?: string
  digest: string
  principal: string
  atMs: number
}

/** Its description names the digest, its resource what was asked for. */
function pullIn({
  operation,
  resourceType,
  resource,
  description,
  principal,
  atMs,
}: AuditEntry): Pull | undefined {
  if (operation !== 'pull' || resourceType !== 'artifact') return undefined
  const [repository, digest] = description.slice(description.indexOf(': ') + 2).split('@')
  if (digest === undefined) return undefined
  const tag = resource.startsWith(`${repository}:`) ? resource.slice(repository!.length + 1) : undefined
  return { repository: repository!, digest, principal, atMs, ...(tag === undefined ? {} : { tag }) }
}

function add(found: Map<string, ReplayedPulls>, { repository, tag, digest, principal, atMs }: Pull): void {
  const name = [repository, tag ?? '', digest].join(' ')
  const known = found.get(name)
  const principals = known?.principals ?? []
  found.set(name, {
    repository,
    ...(tag === undefined ? {} : { tag }),
    digest,
    pulls: (known?.pulls ?? 0) + 1,
    principals: principals.includes(principal) ? principals : [...principals, principal],
    lastAtMs: Math.max(known?.lastAtMs ?? 0, atMs),
    violations: [],
  })
}

/** Each image is judged once, however it was asked for. @returns undefined for what is not here any more */
function judgeOf(registry: Registry, file: PolicyFile) {
  const policies = new Map<string, Promise<PullPolicy | undefined>>()
  const verdicts = new Map<string, Promise<Violation[] | undefined>>()
  const once = <T>(kept: Map<string, Promise<T>>, name: string, make: () => Promise<T>) => {
    const known = kept.get(name) ?? make()
    kept.set(name, known)
    return known
  }
  return (repository: string, digest: string) =>
    once(verdicts, `${repository} ${digest}`, async () => {
      const name = projectOf(repository)
      const policy = await once(policies, name, () => policyFor(registry, file, name))
      const found = await there(registry, repository, digest)
      return policy && found ? judge(registry, policy, found, undefined, { keeps: false }) : undefined
    })
}

async function policyFor(
  registry: Registry,
  file: PolicyFile,
  name: string,
): Promise<PullPolicy | undefined> {
  const project = await findProject(registry, name)
  if (!project) return undefined
  const allowlist = file.allowlist ?? project.allowlist
  const settings = { metadata: file.metadata, ...(allowlist ? { allowlist } : {}) }
  return pullPolicy(
    settings,
    await readSystemAllowlist(registry),
    file.trust ?? (await readTrust(registry, project)),
  )
}

async function there(registry: Registry, repository: string, digest: string) {
  if (!isDigest(digest)) return undefined
  try {
    return await findManifest(registry, repository, { kind: 'digest', digest })
  } catch (error) {
    if (error instanceof RegistryError && error.status === 404) return undefined
    throw error
  }
}
