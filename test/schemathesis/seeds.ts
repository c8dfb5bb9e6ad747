// What there must be so that operations on something find it: one of each to look at and change, one of each to delete.
import { setTimeout as sleep } from 'node:timers/promises'
import { REPORT_TYPE } from '../../lib/scanning/report.ts'
import { type Client, clientOf, MANIFEST, pushBlob, pushImage } from '../api/client.ts'
import { basic, type Harbor, harborOf, numberOf, PASSWORD } from '../api/management.ts'
import { ADMIN_PASSWORD } from '../support/server.ts'

export interface Seeds {
  /** Path parameters by name. */
  kept: Record<string, string | number>
  /** What single operations get instead: those that delete have something of their own to delete. */
  own: Record<string, Record<string, string | number>>
}

const PROJECT = 'port'
const REPOSITORY = `/projects/${PROJECT}/repositories/app`
const HOOKS = `/projects/${PROJECT}/webhook/policies`
const ARTIFACT = `${REPOSITORY}/artifacts/v1`

export interface Others {
  /** Open to everybody. */
  registry: string
  /** Every path below it is a scanner. */
  scanner: string
}

/** @param others what is asked besides */
export async function seed(url: string, others: Others): Promise<Seeds> {
  const admin = harborOf(url, 'admin')
  const http = clientOf(url, basic('admin', ADMIN_PASSWORD))
  const make = async (path: string, body: unknown) => numberOf(await admin('POST', path, body))
  await make('/projects', { project_name: PROJECT, metadata: { auto_scan: 'false', public: 'false' } })
  await make('/projects', { project_name: 'scrapped' })
  await make('/projects', { project_name: 'ruled', metadata: { severity: 'high' } })
  await pushAll(http)
  const [user, gone] = [await userNamed(make, 'mate'), await userNamed(make, 'rover')]
  const group = (name: string) => make('/usergroups', { group_name: name, group_type: 3 })
  const label = (name: string) => make('/labels', { name, scope: 'g' })
  const [groups, labels] = [
    [await group('deck'), await group('rats')] as const,
    [await label('seen'), await label('worn'), await label('torn')] as const,
  ]
  await admin('POST', `${ARTIFACT}/tags`, { name: 'extra' })
  await admin('POST', `${ARTIFACT}/labels`, { id: labels[1] })
  const member = (name: string) =>
    make(`/projects/${PROJECT}/members`, { role_id: 2, member_user: { username: name } })
  const [members, robots, rules] = [
    [await member('mate'), await member('rover')] as const,
    [await robot(admin, 'shipper'), await robot(admin, 'idler')] as const,
    [
      await make('/projects/ruled/immutabletagrules', rule('x1')),
      await make('/projects/ruled/immutabletagrules', rule('x2')),
    ] as const,
  ]
  const gc = await make('/system/gc/schedule', { schedule: { type: 'Manual' } })
  const daily = { schedule: { type: 'Daily', cron: '0 0 0 * * *' } }
  for (const what of ['gc', 'scanAll']) await admin('POST', `/system/${what}/schedule`, daily)
  await admin('POST', '/system/scanAll/schedule', { schedule: { type: 'Manual' } })
  const hooks = [await make(HOOKS, hook('told')), await make(HOOKS, hook('spare'))] as const
  const delivery = await delivered(admin, http, hooks[0])
  const report = await scanned(admin)
  const { json: port } = await admin('GET', `/projects/${PROJECT}`)
  const exports = [await exported(admin, port.project_id), await exported(admin, port.project_id)] as const
  const replicating = await replicated(admin, make, others.registry)
  const scannerNamed = (name: string) => registered(admin, name, `${others.scanner}/${name}`)
  const scanners = [await scannerNamed('kept'), await scannerNamed('spare')] as const
  const { json: quotas } = await admin('GET', '/quotas?page_size=100')
  const quota = quotas.find((each: { ref: { name: string } }) => each.ref.name === 'scrapped').id as number
  return {
    kept: {
      project: PROJECT,
      repository: 'app',
      reference: 'v1',
      tag: 'v1',
      addition: 'build_history',
      label: labels[0],
      name: 'auto_scan',
      number: quota,
      user,
      group: groups[0],
      member: members[0],
      robot: robots[0],
      rule: rules[0],
      gc,
      // The task of that run: execution and task, 12 digits each.
      job: [gc, 1].map((number) => number.toString(16).padStart(12, '0')).join(''),
      pool: 'all',
      policy: hooks[0],
      ...delivery,
      vendor: 'GARBAGE_COLLECTION',
      scanner: scanners[0],
      export: exports[0],
    },
    own: {
      deleteProject: { project: 'scrapped' },
      deleteRepository: { project: PROJECT, repository: 'scrap' },
      deleteArtifact: { project: PROJECT, repository: 'app', reference: 'old' },
      deleteTag: { project: PROJECT, repository: 'app', reference: 'v1', tag: 'extra' },
      removeLabel: { project: PROJECT, repository: 'app', reference: 'v1', label: labels[1] },
      DeleteLabel: { label: labels[2] },
      deleteUser: { user: gone },
      deleteUserGroup: { group: groups[1] },
      deleteProjectMember: { project: PROJECT, member: members[1] },
      DeleteRobot: { robot: robots[1] },
      DeleteWebhookPolicyOfProject: { project: PROJECT, policy: hooks[1] },
      DeleteImmuRule: { project: 'ruled', rule: rules[1] },
      // A rule on everything would keep the others from their tags.
      CreateImmuRule: { project: 'ruled' },
      UpdateImmuRule: { project: 'ruled', rule: rules[0] },
      getSchedulePaused: { vendor: 'all' },
      deleteProjectMetadata: { project: 'ruled', name: 'severity' },
      ListWebhookJobs: { project: PROJECT, 'query.policy_id': hooks[0] },
      // Every scan has a report of its own, and v1 is scanned again.
      getReportLog: { project: PROJECT, repository: 'app', reference: 'looked-at', report },
      exportScanData: { 'header.X-Scan-Data-Type': REPORT_TYPE },
      // What was fetched is gone.
      downloadScanData: { export: exports[1] },
      deleteScanner: { scanner: scanners[1] },
      ...replicating,
    },
  }
}

/** A file to fetch. @returns its number */
async function exported(admin: Harbor, project: number): Promise<number> {
  const headers = { 'x-scan-data-type': REPORT_TYPE }
  const { json } = await admin('POST', '/export/cve', { projects: [project] }, headers)
  for (;;) {
    const { status, file_present } = (await admin('GET', `/export/cve/execution/${json.id}`)).json
    if (file_present) return json.id
    if (['Success', 'Error'].includes(status)) throw new Error('there was nothing to export')
    await sleep(50)
  }
}

/** @returns its id */
async function registered(admin: Harbor, name: string, url: string): Promise<string> {
  const { headers } = await admin('POST', '/scanners', { name, url })
  return headers.location!.split('/').at(-1)!
}

/** Two registries, two rules, and a run of the first that has ended. */
async function replicated(
  admin: Harbor,
  make: (path: string, body: unknown) => Promise<number>,
  url: string,
): Promise<Seeds['own']> {
  const registryNamed = (name: string) => make('/registries', { name, type: 'docker-registry', url })
  const [registry, spare] = [await registryNamed('south'), await registryNamed('north')]
  const ruleNamed = (name: string) =>
    make('/replication/policies', {
      name,
      dest_registry: { id: registry },
      filters: [{ type: 'name', value: `${PROJECT}/app` }],
      trigger: { type: 'manual' },
      enabled: true,
    })
  const [policy, idle] = [await ruleNamed('southwards'), await ruleNamed('nowhere')]
  const execution = await make('/replication/executions', { policy_id: policy })
  const tasks = `/replication/executions/${execution}/tasks`
  while ((await admin('GET', `/replication/executions/${execution}`)).json.status === 'InProgress')
    await sleep(50)
  const [{ id: task }] = (await admin('GET', tasks)).json
  const each = (ids: string[], values: Record<string, number>) =>
    Object.fromEntries(ids.map((id) => [id, values]))
  return {
    ...each(['getRegistry', 'updateRegistry', 'getRegistryInfo'], { registry }),
    deleteRegistry: { registry: spare },
    ...each(['getReplicationPolicy', 'updateReplicationPolicy'], { policy }),
    deleteReplicationPolicy: { policy: idle },
    ...each(['getReplicationExecution', 'stopReplication', 'listReplicationTasks'], { execution }),
    getReplicationLog: { execution, task },
  }
}

function hook(name: string) {
  const targets = [{ type: 'http', address: 'http://10.0.0.9/' }]
  return { name, enabled: true, event_types: ['PUSH_ARTIFACT'], targets }
}

/** Once everything was scanned. @returns the id of a report */
async function scanned(admin: Harbor): Promise<string> {
  while ((await admin('GET', '/scans/all/metrics')).json.ongoing) await sleep(50)
  const artifact = `${REPOSITORY}/artifacts/looked-at`
  await admin('POST', `${artifact}/scan`)
  const { json } = await admin('GET', `${artifact}?with_scan_overview=true`)
  return json.scan_overview[REPORT_TYPE].report_id
}

/** A push that the policy tells of; a private address is refused at once. */
async function delivered(
  admin: Harbor,
  http: Client,
  policy: number,
): Promise<{ execution: number; task: number }> {
  await pushImage(http, `${PROJECT}/app`, 'hooked')
  const executions = `${HOOKS}/${policy}/executions`
  for (;;) {
    const [execution] = (await admin('GET', executions)).json
    if (execution?.status === 'Error') {
      const [task] = (await admin('GET', `${executions}/${execution.id}/tasks`)).json
      return { execution: execution.id, task: task.id }
    }
    await sleep(50)
  }
}

async function pushAll(http: Client): Promise<void> {
  await pushImage(http, `${PROJECT}/app`, 'old')
  await pushImage(http, `${PROJECT}/scrap`, 'v1')
  for (const tag of ['v1', 'looked-at']) await pushRunnable(http, tag)
}

/** With a history to show, and for scanners to look into. */
async function pushRunnable(http: Client, tag: string): Promise<void> {
  const name = `${PROJECT}/app`
  const text = JSON.stringify({ os: 'linux', architecture: 'arm64', history: [{ created_by: `RUN ${tag}` }] })
  const config = await pushBlob(http, name, text)
  const layer = await pushBlob(http, name, 'layer')
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config, size: text.length },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: layer, size: 5 }],
  })
  const { status } = await http('PUT', `/v2/${name}/manifests/${tag}`, {
    headers: { 'content-type': MANIFEST },
    body,
  })
  if (status !== 201) throw new Error(`the image was answered ${status}`)
}

function userNamed(make: (path: string, body: unknown) => Promise<number>, username: string) {
  const user = { username, email: `${username}@example.com`, realname: username, password: PASSWORD }
  return make('/users', user)
}

async function robot(admin: Harbor, name: string): Promise<number> {
  const permissions = [
    { kind: 'project', namespace: 'library', access: [{ resource: 'repository', action: 'pull' }] },
  ]
  const { json } = await admin('POST', '/robots', { name, level: 'project', duration: 30, permissions })
  return json.id
}

function rule(pattern: string) {
  const selector = { kind: 'doublestar', pattern }
  return {
    action: 'immutable',
    template: 'immutable_template',
    tag_selectors: [{ ...selector, decoration: 'matches' }],
    scope_selectors: { repository: [{ ...selector, decoration: 'repoMatches' }] },
  }
}
