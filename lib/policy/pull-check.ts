// The policy of the project that is pulled from, and whether this pull is one of those it refuses.
import { keys } from '../registry/keys.ts'
import type { FoundManifest } from '../registry/manifests.ts'
import { type Project, projectIn } from '../registry/projects.ts'
import { readRecent } from '../registry/recent-items.ts'
import type { Registry } from '../registry/registry.ts'
import { systemAllowlistIn } from '../registry/system-allowlist.ts'
import { judge } from './judge.ts'
import { asksForAnything, type PullPolicy, pullPolicy } from './pull-policy.ts'
import { trustIn } from './signature-trust.ts'
import { refusal, type Violation } from './violation.ts'

/** Who pulls, as far as policies look at it. */
export interface Puller {
  principal: string
  /** Our own scanner, which may always. */
  scan?: true
  mayAskFor(action: string, repositoryName: string): Promise<boolean>
}

/**
 * Costs no call where the project has no policy, one where it has.
 * @throws PROJECTPOLICYVIOLATION
 */
export async function checkPull(registry: Registry, found: FoundManifest, caller: Puller): Promise<void> {
  if (caller.scan || found.record.kind !== 'image') return
  const { projectName, id } = found.repository
  const [item] = await readRecent(registry, [keys.project(projectName)])
  const project = item && projectIn(item, projectName)
  if (!project || !asksForAnything(project)) return
  const { digest } = found.record
  const [policy, known] = await withPolicy(registry, project, [
    keys.scan(id, digest),
    keys.verdict(id, digest),
  ])
  const violations = await judge(registry, policy, found, known)
  if (violations.length === 0 || (await mayMend(violations, caller, found.repository.name))) return
  throw refusal(violations, caller.principal)
}

/**
 * Nobody could sign an image they cannot read: what is only not signed or described yet is open to whoever may push there
 * (docs/adr/0008). Asked for when an image would be refused, and not before.
 */
async function mayMend(violations: Violation[], caller: Puller, repository: string): Promise<boolean> {
  if (violations.some(({ rule }) => rule === 'vulnerability')) return false
  return caller.mayAskFor('push', repository)
}

export async function readPullPolicy(registry: Registry, project: Project): Promise<PullPolicy> {
  return (await withPolicy(registry, project, []))[0]
}

async function withPolicy(registry: Registry, project: Project, also: Parameters<typeof readRecent>[2]) {
  const shared = [keys.projectTrust(project.name), keys.systemAllowlist]
  const [trust, allowlist, ...items] = await readRecent(registry, shared, also)
  const policy = pullPolicy(project, systemAllowlistIn(allowlist), trustIn(trust, project.id))
  return [policy, items] as const
}
