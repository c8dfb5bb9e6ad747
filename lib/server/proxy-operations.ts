// `entrepot proxy`: what the caches saved and what their upstreams still allow; which project stands for which registry.
import { startExecution } from '../jobs/executions.ts'
import { RegistryError } from '../oci/errors.ts'
import { mirrorsIn } from '../proxy/mirrors.ts'
import { readProxyCount } from '../proxy/proxy-counts.ts'
import { retentionDays } from '../proxy/unused-content.ts'
import { type Budget, readBudget } from '../registries/budgets.ts'
import { requireRemoteRegistry } from '../registries/remote-registry.ts'
import { changeConfiguration, readConfiguration } from '../registry/configuration.ts'
import { allProjects } from '../registry/project-changes.ts'
import { findProject } from '../registry/projects.ts'
import type { Registry } from '../registry/registry.ts'
import { jobsOf } from './jobs.ts'
import { type Operation, parsed, UsageError } from './operation.ts'

export const PROXY_OPERATIONS: Record<string, Operation> = {
  'proxy status': {
    usage: 'proxy status',
    what: 'show what each proxy cache project served, fetched and saved, and its upstream’s budget',
    run: async ({ registry, print }) => {
      print(
        [
          'project',
          'upstream',
          'served',
          'fetched',
          'saved',
          'checked',
          'stale',
          'forgotten',
          'keeps',
          'budget',
        ].join('\t'),
      )
      for (const line of await statusLines(registry)) print(line)
      return 0
    },
  },
  'proxy forget': {
    usage: 'proxy forget',
    what: 'have the caches forget now, as they do every night, what nobody pulled for as long as they keep it',
    run: async ({ stores, print }, args) => {
      if (args.length > 0) throw new UsageError('expected no argument')
      const begun = await startExecution(
        jobsOf(stores).jobs,
        { vendor: 'PROXY_RETENTION', rule: 0, trigger: 'MANUAL' },
        [{ payload: {} }],
      )
      print(`execution ${begun!.number} has begun: entrepot jobs show ${begun!.number}`)
      return 0
    },
  },
  'proxy mirror': {
    usage: 'proxy mirror REGISTRY PROJECT | proxy mirror REGISTRY --off | proxy mirror',
    what: 'have a proxy cache project stand for a registry (docker.io), or for any (*) where clients name none',
    run: async ({ registry, print }, args) => {
      const { positionals, values } = parsed(args, { off: { type: 'boolean' } })
      const mirrors = mirrorsIn((await readConfiguration(registry)).proxy_mirrors)
      const [from, project, ...more] = positionals
      if (more.length > 0 || (from !== undefined && (project === undefined) !== (values.off === true)))
        throw new UsageError('expected a registry and a project, or --off')
      if (from !== undefined && project === undefined) mirrors.delete(from.toLowerCase())
      if (from !== undefined && project !== undefined) {
        await requireCache(registry, project)
        mirrors.set(from.toLowerCase(), project)
      }
      if (from !== undefined)
        await changeConfiguration(registry, {
          proxy_mirrors: [...mirrors].map(([each, to]) => `${each}=${to}`).join(','),
        })
      for (const [each, to] of mirrors) print(`${each}\t${to}`)
      return 0
    },
  },
}

async function statusLines(registry: Registry): Promise<string[]> {
  const caches = (await allProjects(registry)).filter(({ registryId }) => registryId !== undefined)
  return Promise.all(
    caches.map(async ({ id, name, registryId, metadata }) => {
      const { served, fetched, checked, stale, forgotten } = await readProxyCount(registry, id)
      const remote = await requireRemoteRegistry(registry, registryId!)
      const budget = budgetText(await readBudget(registry, registryId!))
      const days = retentionDays({ metadata })
      const keeps = days === undefined ? 'always' : `${days} days`
      const saved = Math.max(served - fetched, 0)
      return [name, remote.url, served, fetched, saved, checked, stale, forgotten, keeps, budget].join('\t')
    }),
  )
}

function budgetText(budget: Budget | undefined): string {
  if (!budget) return 'not told'
  const window = budget.windowSeconds === undefined ? '' : ` in ${budget.windowSeconds} s`
  return `${budget.remaining} of ${budget.limit}${window} at ${new Date(budget.atMs).toISOString()}`
}

/** @throws REQUEST_INVALID */
async function requireCache(registry: Registry, name: string): Promise<void> {
  if ((await findProject(registry, name))?.registryId === undefined)
    throw new RegistryError('REQUEST_INVALID', `${name} is no proxy cache project`)
}
