// Caches forget what nobody pulled for as many days as their project says, as a job.
import type { JobContext, JobKind } from '../jobs/kinds.ts'
import { noteForgotten } from '../proxy/proxy-counts.ts'
import { forgetUnused, retentionDays } from '../proxy/unused-content.ts'
import { partitions } from '../registry/keys.ts'
import { pagesOf } from '../registry/partitions.ts'
import { findProject, type Project } from '../registry/projects.ts'
import type { Registry } from '../registry/registry.ts'

export function proxyRetention(): JobKind {
  return {
    attempts: 3,
    retryAfterSeconds: 60,
    timeoutSeconds: 6 * 3600,
    atOnce: 1,
    run: async (context) => {
      const { registry, task, log, show } = context
      let forgotten = Number(task.state.forgotten ?? 0)
      const after = task.state.after as string | undefined
      for await (const { project, name } of cachedRepositories(registry, after)) {
        const some = await forgetIn(context, project, name)
        if (some === 0) continue
        forgotten += some
        show({ forgotten })
        await context.save({ after: name, forgotten })
      }
      show({ forgotten })
      log(`${forgotten} manifests forgotten`)
    },
  }
}

/** @returns how many */
async function forgetIn({ registry, log, signal }: JobContext, project: Project, name: string) {
  const days = retentionDays(project)
  let forgotten = 0
  try {
    for await (const { digest, tags, usedAtMs } of forgetUnused(registry, project, name, signal)) {
      forgotten += 1
      const called = tags.length === 0 ? '' : ` (${tags.join(', ')})`
      const since = new Date(usedAtMs).toISOString()
      log(`${name}@${digest}${called} forgotten: not pulled for ${days} days, last used ${since}`)
    }
  } finally {
    await noteForgotten(registry, project.id, forgotten)
  }
  return forgotten
}

/** In byte order, of every project that caches. @param after begins behind that repository */
async function* cachedRepositories(
  registry: Registry,
  after: string | undefined,
): AsyncGenerator<{ project: Project; name: string }> {
  for await (const projects of pagesOf(registry.metadata, { pk: partitions.projects }))
    for (const { sk } of projects) {
      const prefix = `${sk}/`
      if (after !== undefined && after >= prefix && !after.startsWith(prefix)) continue
      const project = await findProject(registry, sk)
      if (project?.registryId === undefined || retentionDays(project) === undefined) continue
      const range = { pk: partitions.catalog, prefix, ...(after?.startsWith(prefix) ? { after } : {}) }
      for await (const page of pagesOf(registry.metadata, range))
        for (const { sk: name } of page) yield { project, name }
    }
}
