// `entrepot policy`: what a project asks of images that are pulled, and what a policy would have refused.
import { mapInText } from '../config/map-in-text.ts'
import { RegistryError } from '../oci/errors.ts'
import { policyFileIn } from '../policy/policy-file.ts'
import { readPullPolicy } from '../policy/pull-check.ts'
import { allowlistEndMs, type PullPolicy } from '../policy/pull-policy.ts'
import { type ReplayedPulls, replay } from '../policy/replay.ts'
import { trustsCosign } from '../policy/signature-trust.ts'
import { findProject } from '../registry/projects.ts'
import { type Operation, one, parsed } from './operation.ts'
import { spanMs } from './span.ts'

const NAMED = 5

export const POLICY_OPERATIONS: Record<string, Operation> = {
  'policy show': {
    usage: 'policy show PROJECT',
    what: 'show what a project asks of images before they are pulled',
    run: async ({ registry, print }, args) => {
      const project = await findProject(registry, one(args))
      if (!project) throw new RegistryError('NAME_UNKNOWN', `project ${args[0]} does not exist`)
      for (const line of linesOf(await readPullPolicy(registry, project))) print(line)
      return 0
    },
  },
  'policy test': {
    usage: 'policy test FILE [--last 30d]',
    what: 'show which past pulls a policy would have refused; exit code 1 when any',
    takesFile: true,
    run: async ({ registry, print }, args) => {
      const { positionals, values } = parsed(args, { last: { type: 'string' } })
      const last = values.last ?? '30d'
      const file = policyFileIn(mapInText(one(positionals)))
      const { pulls, gone, refused } = await replay(registry, file, registry.clock.nowMs() - spanMs(last))
      for (const each of refused) print(refusedLine(each))
      const count = refused.reduce((sum, each) => sum + each.pulls, 0)
      print(
        `${pulls} pulls in ${last}: ${count} would have been refused, by what is known of their images now` +
          (gone > 0 ? `; ${gone} were of images that are gone` : ''),
      )
      if (pulls === 0) print('the audit log has none: pull_audit_log_disable keeps pulls out of it')
      return count > 0 ? 1 : 0
    },
  },
}

function linesOf({ severity, allowlist, allowlistOf, cosign, notation, sbom, trust }: PullPolicy): string[] {
  const endMs = allowlistEndMs(allowlist)
  const end = endMs === undefined ? '' : `, until ${new Date(endMs).toISOString()}`
  const signers = [
    `keys: ${trust.cosignKeys.length}`,
    ...trust.keyless.map(({ identity, issuer }) => `${identity} (${issuer})`),
  ].join(', ')
  const unverified = 'any signature will do: nobody’s are trusted, so none is verified'
  const certificates = trust.notationCertificates.length
  return [
    `vulnerabilities\t${severity === undefined ? 'not looked at' : `refused from ${severity} on, and without a scan`}`,
    `allowlist\t${allowlist.cves.length} of the ${allowlistOf}${end}`,
    `cosign\t${cosign ? (trustsCosign(trust) ? signers : unverified) : 'not asked for'}`,
    `notation\t${notation ? (certificates > 0 ? `certificates: ${certificates}` : unverified) : 'not asked for'}`,
    `sbom\t${sbom ? 'has to be there' : 'not asked for'}`,
  ]
}

function refusedLine({
  repository,
  tag,
  digest,
  pulls,
  principals,
  lastAtMs,
  violations,
}: ReplayedPulls): string {
  const image = tag === undefined ? `${repository}@${digest}` : `${repository}:${tag}`
  const more = principals.length > NAMED ? `, and ${principals.length - NAMED} more` : ''
  const who = principals.slice(0, NAMED).join(', ') + more
  const why = violations.map(({ text }) => text).join(' ')
  return [image, `${pulls} pulls`, who, new Date(lastAtMs).toISOString(), why].join('\t')
}
