// `entrepot import harbor URL`: another Harbor's, or Entrepôt's, settings and content, and how both differ.
import { requireAdministrator } from '../harbor-import/administrator.ts'
import { bringArtifactLabels } from '../harbor-import/artifact-labels.ts'
import { type Pull, pullProject, type SourceAddress, sourceRegistry } from '../harbor-import/content.ts'
import { type Drift, type DriftState, driftOf } from '../harbor-import/drift.ts'
import { HarborApi } from '../harbor-import/harbor-api.ts'
import { bringSettings, type Import } from '../harbor-import/import.ts'
import { isDrift, part, type State } from '../harbor-import/outcome.ts'
import { RegistryError } from '../oci/errors.ts'
import { HttpClient } from '../outbound/http-client.ts'
import { checkedUrl } from '../registries/registry-url.ts'
import { type ImportOptions, importOptions } from './import-arguments.ts'
import { jobsOf } from './jobs.ts'
import { type Operation, type OperationContext, one, printable, UsageError } from './operation.ts'
import { SECRET_LINE } from './secrets-file.ts'

export const IMPORT_OPERATIONS: Record<string, Operation> = {
  'import harbor': {
    usage:
      'import harbor URL --user NAME --password-stdin|--password-file FILE [--project A,B] [--dry-run|--drift] [--overwrite] [--create-users] [--enable-rules] [--secrets-to FILE] [--all] [--insecure] [--ca-file FILE]',
    what: 'bring settings and content of a Harbor here; exit code 1 while the two differ',
    run: async (context, args) => {
      const { positionals, ...options } = importOptions(args)
      return context.background.withJobs(() => importHarbor(context, addressOf(one(positionals)), options))
    },
  },
}

/** With its scheme, because a password goes there. @throws UsageError */
function addressOf(given: string): string {
  if (!/^https?:\/\//.test(given)) throw new UsageError('the URL begins with https:// (or http://)')
  const url = checkedUrl(given)
  if (new URL(url).pathname !== '/')
    throw new UsageError('the URL is that of the whole registry, without a path')
  return url
}

type Counts<Name extends string> = Partial<Record<Name, number>>

async function importHarbor(context: OperationContext, url: string, options: ImportOptions): Promise<number> {
  const { background, registry, actor } = context
  const origin = background.origin()
  if (origin !== '' && new URL(url).origin === new URL(origin).origin)
    throw new RegistryError('REQUEST_INVALID', `${url} is this registry itself`)
  const { user, password, insecure, caCertificate } = options
  const http = new HttpClient({ guard: background.upstreams.guard, insecure, caCertificate })
  try {
    const source = new HarborApi(http, url, { user, password })
    await requireAdministrator(source)
    const told = tellings(context, options)
    const { writes, overwrite, createUsers, enableRules, only } = options
    const bringing: Import = {
      registry,
      upstreams: background.upstreams,
      actor,
      origin,
      source,
      writes,
      overwrite,
      createUsers,
      enableRules,
      only,
      report: told.report,
      secret: (kind, login, secret) => told.print(`${SECRET_LINE}${kind}\t${login}\t${secret}`),
    }
    const projects = await bringSettings(bringing)
    const address = { url, insecure, caCertificate, accessKey: user, accessSecret: password }
    for (const { name } of projects)
      await part(bringing, 'content', name, () => bringContent(context, bringing, name, address, told))
    return told.end()
  } finally {
    http.close()
  }
}

/** Pulls what is missing or differs, if there is any, and compares again. */
async function bringContent(
  { stores }: OperationContext,
  bringing: Import,
  project: string,
  address: SourceAddress,
  told: Tellings,
): Promise<void> {
  let found = await collected(bringing, project)
  if (bringing.writes && found.some(isPulled)) {
    const pull: Pull = {
      jobs: jobsOf(stores).jobs,
      progress: (name, { tasks, success, error }) =>
        told.print(`pulling\t${name}\t${success} of ${tasks} tasks done, ${error} failed`),
    }
    await pullProject(bringing, await sourceRegistry(bringing, address), project, pull)
    told.pulled()
    found = await collected(bringing, project)
  }
  for (const drift of found) told.drift(drift)
  await bringArtifactLabels(bringing, project)
}

function isPulled({ state }: Drift): boolean {
  return state === 'missing' || state === 'differs'
}

async function collected(bringing: Import, project: string): Promise<Drift[]> {
  const found: Drift[] = []
  for await (const drift of driftOf(bringing, project)) found.push(drift)
  return found
}

type Tellings = ReturnType<typeof tellings>

/** What is printed of an import, and its exit code. */
function tellings(context: OperationContext, { all, writes, dryRun }: ImportOptions) {
  const settings: Counts<State> = {}
  const content: Counts<DriftState> = {}
  let pulled = 0
  const print = (line: string) => context.print(printable(line))
  const report: Import['report'] = ({ kind, name, state, why }) => {
    settings[state] = (settings[state] ?? 0) + 1
    const word = dryRun && state === 'missing' ? 'would bring' : state
    if (all || state !== 'same') print([word, kind, name, ...(why === '' ? [] : [why])].join('\t'))
  }
  const drift = ({ state, repository, reference, there, here }: Drift) => {
    content[state] = (content[state] ?? 0) + 1
    const named = reference.startsWith('@') ? `${repository}${reference}` : `${repository}:${reference}`
    const word = dryRun && isPulled({ state } as Drift) ? 'would pull' : state
    if (all || state !== 'same')
      print([word, 'artifact', named, `there ${there ?? '-'}`, `here ${here ?? '-'}`].join('\t'))
  }
  const end = () => {
    const of = (state: State) => settings[state] ?? 0
    const at = (state: DriftState) => content[state] ?? 0
    print(
      `settings: ${of('brought')} brought, ${of('changed')} changed, ${of('same')} the same, ${of('missing')} missing, ${of('differs')} differ, ${of('failed')} failed, ${of('note')} notes`,
    )
    print(
      `content: ${at('same')} the same, ${at('missing')} missing, ${at('differs')} differ, ${at('extra')} only here, ${at('untagged')} untagged and not brought`,
    )
    if (writes && of('brought') + of('changed') + pulled === 0) print('nothing was changed')
    const drifts =
      (Object.keys(settings) as State[]).some((state) => isDrift({ state })) ||
      at('missing') + at('differs') + at('extra') > 0
    return drifts && !dryRun ? 1 : 0
  }
  return {
    print,
    report,
    drift,
    pulled: () => {
      pulled += 1
    },
    end,
  }
}
