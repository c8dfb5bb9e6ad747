// What `entrepot` can do to a registry, running or not. Each operation prints lines of text.

import { parseDigest } from '../oci/digest.ts'
import { RegistryError } from '../oci/errors.ts'
import { isName, parseName, parseReference } from '../oci/reference.ts'
import { fsck } from '../registry/fsck.ts'
import { listSweeps, readLedger, type SweepSummary } from '../registry/gc/ledger.ts'
import { createProject, findProject, listProjects } from '../registry/projects.ts'
import { eventsOf } from '../registry/relay.ts'
import { requireRepository } from '../registry/repositories.ts'
import { deleteRepository, restoreRepository } from '../registry/repository-deletion.ts'
import { scrub } from '../registry/scrub.ts'
import { tagHistory } from '../registry/tags.ts'
import { undo } from '../registry/undo.ts'
import { EXPLAIN_OPERATION } from './explain-operation.ts'
import { IMPORT_OPERATIONS } from './import-operations.ts'
import { JOB_OPERATIONS } from './job-operations.ts'
import { MEMBER_OPERATIONS } from './member-operations.ts'
import { type Operation, one, parsed, UsageError } from './operation.ts'
import { POLICY_OPERATIONS } from './policy-operations.ts'
import { PROXY_OPERATIONS } from './proxy-operations.ts'
import { ROBOT_OPERATIONS } from './robot-operations.ts'
import { SBOM_OPERATIONS } from './sbom-operations.ts'
import { USER_OPERATIONS } from './user-operations.ts'

const LISTED = 1000

export const OPERATIONS: Record<string, Operation> = {
  'project create': {
    usage: 'project create NAME [--public]',
    what: 'make a project; its name is the first part of its repositories’ names',
    run: async ({ registry, actor, print }, args) => {
      const { positionals, values } = parsed(args, { public: { type: 'boolean' } })
      const settings = { public: values.public === true }
      const project = await createProject(registry, one(positionals), settings, actor)
      print(`created project ${project.name} (${project.public ? 'public: anybody may pull' : 'private'})`)
      return 0
    },
  },
  'project list': {
    usage: 'project list',
    what: 'list projects',
    run: async ({ registry, print }) => {
      for (const project of await listProjects(registry, { limit: LISTED }))
        print(`${project.name}\t${project.public ? 'public' : 'private'}`)
      return 0
    },
  },
  'project show': {
    usage: 'project show NAME',
    what: 'show a project’s settings',
    run: async ({ registry, print }, args) => {
      const project = await findProject(registry, one(args))
      if (!project) throw new RegistryError('NAME_UNKNOWN', `project ${args[0]} does not exist`)
      print(JSON.stringify(project))
      return 0
    },
  },
  ...USER_OPERATIONS,
  ...MEMBER_OPERATIONS,
  ...ROBOT_OPERATIONS,
  ...PROXY_OPERATIONS,
  ...POLICY_OPERATIONS,
  ...SBOM_OPERATIONS,
  ...JOB_OPERATIONS,
  ...IMPORT_OPERATIONS,
  explain: EXPLAIN_OPERATION,
  undo: {
    usage: 'undo NAME:TAG [--to DIGEST] | NAME@DIGEST | NAME',
    what: 'bring back a deleted manifest or repository, or what a tag named before its last move',
    run: async ({ registry, actor, print }, args) => {
      const to = args.indexOf('--to')
      const digest = to < 0 ? undefined : parseDigest(args[to + 1] ?? '')
      const what = one(to < 0 ? args : args.slice(0, to))
      if (isName(what)) {
        await restoreRepository(registry, what, actor)
        print(`${what}: restored`)
        return 0
      }
      const { name, reference } = parseImage(what)
      const undone = await undo(registry, name, parseReference(reference), actor, digest)
      print(`${name}${undone.restored ? ': restored' : ' has'} ${undone.digest}`)
      for (const tag of undone.tags) print(`${name}:${tag} -> ${undone.digest}`)
      return 0
    },
  },
  'repository delete': {
    usage: 'repository delete NAME',
    what: 'delete a repository with all it holds; undo brings it back while its window lasts',
    run: async ({ registry, actor, print }, args) => {
      await deleteRepository(registry, parseName(one(args)), actor)
      print(`deleted ${args[0]}; bring it back with: entrepot undo ${args[0]}`)
      return 0
    },
  },
  history: {
    usage: 'history NAME:TAG',
    what: 'show the moves of a tag, newest first',
    run: async ({ registry, print }, args) => {
      const { name, reference } = parseImage(one(args))
      const { repository } = await requireRepository(registry, name)
      for (const move of await tagHistory(registry, repository.id, reference, LISTED))
        print(
          [
            new Date(move.atMs).toISOString(),
            move.sequence,
            move.digest ?? 'deleted',
            move.principal,
            move.cause,
          ].join('\t'),
        )
      return 0
    },
  },
  gc: {
    usage: 'gc',
    what: 'sweep now: free what nothing refers to and whose time has come',
    run: async ({ background, print, actor }) => {
      print(sweepLine(await background.sweepNow(actor.principal)))
      return 0
    },
  },
  'gc list': {
    usage: 'gc list',
    what: 'list past sweeps, newest first',
    run: async ({ registry, print }) => {
      for (const summary of await listSweeps(registry, LISTED)) print(sweepLine(summary))
      return 0
    },
  },
  'gc show': {
    usage: 'gc show SWEEP',
    what: 'show everything one sweep freed',
    run: async ({ registry, print }, args) => {
      for await (const entry of readLedger(registry, one(args)))
        print([entry.what, entry.where, entry.digest ?? '-', entry.freedBytes, entry.why].join('\t'))
      return 0
    },
  },
  events: {
    usage: 'events PROJECT',
    what: 'list what happened in a project, in order',
    run: async ({ registry, print }, args) => {
      const project = await findProject(registry, one(args))
      if (!project) throw new RegistryError('NAME_UNKNOWN', `project ${args[0]} does not exist`)
      for await (const event of eventsOf(registry, project.id)) print(JSON.stringify(event.attributes))
      return 0
    },
  },
  'keys rotate': {
    usage: 'keys rotate',
    what: 'make new signing keys; what the present ones signed stays valid',
    run: async ({ stores, print }) => {
      // An edge that checks uploads must learn new keys before they sign, and only the setup function may tell it.
      if (stores.secrets.document.origin !== undefined)
        throw new Error(
          'this deployment makes its keys itself and tells its edge: invoke the setup function (output SetupFunction) with {"task":"rotate"}',
        )
      await stores.rotateKeys()
      print('new keys are written; they sign once every process has read them, in ten minutes')
      return 0
    },
  },
  fsck: {
    usage: 'fsck',
    what: 'compare metadata and stored bytes both ways; changes nothing; exit code 1 when something is wrong',
    run: async ({ registry, print }) => {
      const { findings, ...counts } = await fsck(registry)
      for (const finding of findings) print(`${finding.severity}\t${finding.where}\t${finding.what}`)
      const errors = findings.filter((finding) => finding.severity === 'error').length
      print(
        `${counts.manifests} manifests, ${counts.tags} tags, ${counts.links} blobs of ${counts.linkedBytes} bytes; ` +
          `${counts.storedBytes} bytes stored; ${errors} errors, ${findings.length - errors} notes`,
      )
      return errors > 0 ? 1 : 0
    },
  },
  scrub: {
    usage: 'scrub',
    what: 'read every blob and compare it with its digest; a corrupt one is no longer served until pushed again',
    run: async ({ registry, print }) => {
      const report = await scrub(registry)
      for (const each of report.corrupt) print(`corrupt\t${each.repo}\t${each.digest}\t${each.found}`)
      print(`${report.blobs} blobs, ${report.bytes} bytes read, ${report.corrupt.length} corrupt`)
      return report.corrupt.length > 0 ? 1 : 0
    },
  },
  'doctor restore': {
    usage: 'doctor restore',
    what: 'after the table was restored to a point in time: bring back every object it names',
    run: async ({ stores, print }) => {
      if (!stores.recoverObjects) throw new UsageError('a local backup holds its objects: start it as it is')
      const { named, recovered, lost } = await stores.recoverObjects()
      for (const key of lost) print(`lost\t${key}`)
      print(
        `${named} objects are named, ${recovered} were deleted since and are back, ${lost.length} are lost`,
      )
      return lost.length > 0 ? 1 : 0
    },
  },
  backup: {
    usage: 'backup DIRECTORY',
    what: 'write a consistent copy that can be started as it is, while the registry goes on',
    run: async ({ stores, background, print }, args) => {
      const target = one(args)
      if (!stores.backUp)
        throw new UsageError('the cloud keeps its own copies: see docs/operations/backup.md')
      const report = await background.withoutSweeps(() => stores.backUp!(target))
      print(
        `${report.objects} objects, ${report.bytes} bytes, ${report.linked} of them shared with the original`,
      )
      return 0
    },
  },
}

function sweepLine(summary: SweepSummary): string {
  const {
    id,
    state,
    trigger,
    startedAtMs,
    manifests,
    links,
    objects,
    sessions,
    freedBytes,
    failures,
    error,
  } = summary
  const when = new Date(startedAtMs).toISOString()
  return `${id}\t${when}\t${state}\t${trigger}\t${manifests} manifests, ${links} links, ${sessions} uploads, ${objects} objects, ${freedBytes} bytes freed${failures > 0 ? `; ${failures} failed: ${error}` : ''}`
}

function parseImage(text: string): { name: string; reference: string } {
  const at = text.indexOf('@')
  const colon = text.lastIndexOf(':')
  const split = at >= 0 ? at : colon
  if (split < 0) throw new UsageError('expected NAME:TAG or NAME@DIGEST')
  return { name: parseName(text.slice(0, split)), reference: text.slice(split + 1) }
}
