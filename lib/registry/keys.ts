// Every key of the metadata table and of the blob store, drawn in one place.
//
//   pk                      sk                        item
//   P#<project>             P                         project: id, public, settings, rules on immutable tags
//   P#<project>             S                         whose signatures it takes: keys, identities, certificates
//   PROJECTS                <project>                 listing of projects
//   N#<name>                N                         repository name -> id, project
//   CATALOG                 <name>                    listing of repositories, byte order of whole names
//   I#<repo>                I                         the repository by its id: name, live or deleted
//   I#<repo>                D                         its description
//   I#<repo>                P                         its (lossy) pull count
//   I#<repo>                E                         the last relayed event about it
//   I#<repo>                C                         how many artifacts it showed, and as of which event
//   DR#<name>               <repo>                    a deleted repository of that name, restorable
//   A#<repo>                <pushed, 13 digits>#<digest>  listing of manifests, oldest first
//   L#<repo>#<digest>       L                         LINK: object key, state, gen, touchedDay, size
//   L#<repo>#<digest>       R#<manifest>#<attempt>    REF: this attempt to push <manifest> uses the blob
//   M#<repo>#<digest>       M                         MANIFEST: birth, gen, state, media type, size, subject
//   M#<repo>#<digest>       B                         its bytes, or the key of the object holding them
//   M#<repo>#<digest>       I                         image facts: layers, config, diff ids, what artifact lists show
//   M#<repo>#<digest>       P                         last pull, also by tag, and (lossy) pull count
//   M#<repo>#<digest>       G                         numbers of its labels
//   M#<repo>#<digest>       V                         its scan: status, summary, where the whole report is
//   M#<repo>#<digest>       VS                        its vulnerabilities in short, compressed
//   M#<repo>#<digest>       VB                        its bill of materials: how making it goes, which manifest holds it
//   M#<repo>#<digest>       VP#<n>                    packages that it has, or names as a bill of materials, compressed
//   M#<repo>#<digest>       K                         whether it may be pulled, by which policy and scan
//   M#<repo>#<digest>       R#<index>#<attempt>       REF: this attempt to push <index> names the manifest as child
//   M#<repo>#<digest>       X#<birth>                 deleted manifest, restorable until its undo window ends
//   T#<repo>#<tag>          T                         TAG: digest, birth, version, hash of the last move
//   H#<repo>#<tag>          <version, 12 digits>      one move of a tag, chained by hash
//   TL#<repo>               <tag>                     listing of live tags
//   TD#<repo>#<digest>      <tag>                     tags of one manifest
//   RF#<repo>#<subject>     <digest>                  referrer: its descriptor
//   O#<object>              O                         OBJ: state, gen
//   O#<object>#<shard>      <repo>#<digest>           OREF: a repository links the object
//   S#<session>             S                         upload session, from its first PATCH or at its commit
//   GC#<day>#<shard>        <kind>#…                  CAND: something to look at on or after that day
//   GC                      cursor                    first day whose candidates are not all done
//   SWEEPS                  <execution>               a garbage collection run
//   SWEEP#<execution>       <n>                       its ledger: one line for each thing freed
//   E#<shard>               <event>                   outbox
//   EV#<project>            <sequence, 12 digits>     relayed events in project order
//   ES#<project>            S                         the last sequence given in the project
//   Q#<project>#<digest>    <repo>#<manifest>         what quota counts: a live manifest uses the blob
//   PB#<project>            <digest>                  blob or manifest that counts in the project: its size
//   PULLS#<day>             <batch>                   pull log, a batch of lines an item
//   DENIALS#<day>           <batch>                   refused requests, kept 30 days
//   ACCESS#<principal>      <type>:<name>:<action>    last day asked, got
//   U#<user>                U                         user, in lower case: number, password hash, notBefore
//   UE#<email>              U                         email in lower case -> user
//   USERS                   <number>                  listing of users
//   SE#<hash>               S                         browser session, by the hash of its id: name, begin, end
//   LF#<hash>#<place>       F                         failed logins of a name, by its hash, from a place; familiar until
//   LN#<hash>               F                         failed logins of a name from anywhere
//   LP#<place>              F                         failed logins from an address, or a /64 of IPv6
//   GROUPS                  <number>                  user group: name, type, directory name
//   UG#<type>#<name>        G                         user group by its name, or its name in the directory -> number
//   RB#<robot>              R                         robot, `<name>` or `<project>+<name>`: secret hash, permissions
//   ROBOTS                  <number>                  listing of robots
//   PM#<project>            U#<number> | G#<number>   member, by the project's name: its id, role, number
//   CFG                     system                    settings of the whole registry
//   CFG                     allowlist                 vulnerabilities that keep nobody from pulling anything
//   CFG                     scanner                   what the scanner said last of itself and its database
//   CFG                     scanners                  which scanner is the default, and whether the built-in one is off
//   SCANNERS                S#<scanner>               a scanner elsewhere, by its id: URL, sealed credential
//   SCANNERS                N#<name> | U#<url>        names and URLs of scanners, unique -> id
//   NUM#<kind>              N                         the last number given to something of that kind
//   PID#<number>            P                         a project's number -> its name and id
//   LB#<label>              L                         label, by its number: name, colour, scope, project
//   LS#g | LS#p#<project>   <name>                    listing of the labels of a scope; unique names
//   LA#<label>              <repo>#<digest>           listing of the artifacts that have the label
//   RG#<registry>           R                         another registry, by its number: URL, type, sealed login, health
//   RG#<registry>           U#<user>                  what uses it: `project:<id>`, `replication:<id>`
//   RG#<registry>           B                         what it said last of its rate limit
//   FL#<what>               F                         who fetches that from another registry just now, or why it failed
//   PF#<repo>#<tag>         F                         until when a cached tag counts as fresh, and what its check said
//   PR#<repo>#<digest>      R                         referrers as another registry listed them
//   PC#<project>            C                         (lossy) counts of a proxy cache project
//   REGISTRIES              <name>                    listing of other registries; unique names
//   WH#<project>            <policy>                  webhook policy, by its number: events, targets, filters, sealed secrets
//   WN#<project>            <name>                    names of a project's webhook policies, unique -> number
//   WT#<policy>             <event>                   when a kind of event last triggered a webhook policy
//   WD#<event>              <policy>#<target>         an event was handed to that target's queue: once
//   RP#<policy>             R                         replication policy, by its number
//   POLICIES                <name>                    listing of replication policies; unique names
//   POLICIES#event          <policy>                  listing of those that events start
//   DP#<project>            <id>                      a deleted project: what it was, who deleted it
//   AU#<month>              <time, 13 digits>#<id>    audit log of the registry: an entry, or a batch of pulls
//   AP#<project>            <time, 13 digits>#<id>    audit log of a project
//   JE#<execution>          E                         execution of a job: vendor, trigger, status, counts
//   JE#<execution>          T#<task>                  one of its tasks: payload, status, lease, saved state
//   JX#<vendor>             <execution>               listing of executions of a kind of job
//   JX#<vendor>#<id>        <execution>               listing of executions of one rule
//   JQ#<vendor>             <task>                    listing of tasks that have not ended
//   JL#<task>               <time, 13 digits>#<n>     lines of a task's log
//   JS#<limit>              <n>                       a place among the tasks that may run at once: who has it
//   JK                      <vendor>                  a kind of job that is paused
//   JW                      <worker>                  a worker process: its last heartbeat, what it runs
//   JC                      <vendor>#<id>             schedule: cron, next time
//   MQ#<queue>              <due, 13 digits>#<id>     message of a queue that is kept here
//   CV#<cve>                <repo>#<digest>           a scan found it there: packages, severity, score
//   CVD#<cve>               D                         what a vulnerability is: description, links
//   CVES                    <score, 3 digits><severity>#<cve>  listing of vulnerabilities that were found: their packages
//   SC#<project>            <repo>#<digest>           listing of scanned artifacts: counts by severity
//   SD                      <counts, 4 times 6 digits>#<repo>#<digest>  listing of scanned artifacts by how much is wrong
//   TOTALS                  A#<shard>                 how many artifacts there are
//   TOTALS                  V#<shard>                 what the last scans found together
//   SB#<project>            <repo>#<digest>           listing of manifests that say which packages an image has
//   PK#<package>            <version>#<repo>#<image>#<digest>  an image has it, as the manifest <digest> says
//   META                    schema                    schema version of the store
//   META                    identity                  what other registries know this one by when it copies to them
//
//   object key              holds
//   b/<repo>/u/<id>         a blob's bytes; <id> is an upload session or one attempt to commit it
//   b/<repo>/sha256/<hex>/<session>  a blob's bytes, put there by the client itself; the store checked the hash
//   b/<repo>/m/<id>         a manifest above 64 KiB; <id> is the push attempt
//   b/<repo>/r/<id>         a scan's whole report, compressed JSON
//   b/<project>/x/<id>      an export of what scans found, comma-separated values
import type { Key } from './ports.ts'

const SHARDS = 4
const DAY_MS = 86_400_000

export const keys = {
  projectTrust: (project: string): Key => ({ pk: `P#${project}`, sk: 'S' }),
  project: (name: string): Key => ({ pk: `P#${name}`, sk: 'P' }),
  projectListing: (name: string): Key => ({ pk: 'PROJECTS', sk: name }),
  repository: (name: string): Key => ({ pk: `N#${name}`, sk: 'N' }),
  catalog: (name: string): Key => ({ pk: 'CATALOG', sk: name }),
  repositoryById: (repo: string): Key => ({ pk: `I#${repo}`, sk: 'I' }),
  repositoryDescription: (repo: string): Key => ({ pk: `I#${repo}`, sk: 'D' }),
  repositoryPulls: (repo: string): Key => ({ pk: `I#${repo}`, sk: 'P' }),
  repositoryEvent: (repo: string): Key => ({ pk: `I#${repo}`, sk: 'E' }),
  artifactCount: (repo: string): Key => ({ pk: `I#${repo}`, sk: 'C' }),
  deletedRepository: (name: string, repo: string): Key => ({ pk: `DR#${name}`, sk: repo }),
  manifestListing: (repo: string, pushedAtMs: number, digest: string): Key => ({
    pk: `A#${repo}`,
    sk: `${String(pushedAtMs).padStart(13, '0')}#${digest}`,
  }),
  link: (repo: string, digest: string): Key => ({ pk: `L#${repo}#${digest}`, sk: 'L' }),
  linkReference: (repo: string, digest: string, manifest: string, attempt: string): Key => ({
    pk: `L#${repo}#${digest}`,
    sk: `R#${manifest}#${attempt}`,
  }),
  manifest: (repo: string, digest: string): Key => ({ pk: `M#${repo}#${digest}`, sk: 'M' }),
  manifestBytes: (repo: string, digest: string): Key => ({ pk: `M#${repo}#${digest}`, sk: 'B' }),
  imageFacts: (repo: string, digest: string): Key => ({ pk: `M#${repo}#${digest}`, sk: 'I' }),
  pulled: (repo: string, digest: string): Key => ({ pk: `M#${repo}#${digest}`, sk: 'P' }),
  labelsOfManifest: (repo: string, digest: string): Key => ({ pk: `M#${repo}#${digest}`, sk: 'G' }),
  scan: (repo: string, digest: string): Key => ({ pk: `M#${repo}#${digest}`, sk: 'V' }),
  sbom: (repo: string, digest: string): Key => ({ pk: `M#${repo}#${digest}`, sk: 'VB' }),
  verdict: (repo: string, digest: string): Key => ({ pk: `M#${repo}#${digest}`, sk: 'K' }),
  shortReport: (repo: string, digest: string): Key => ({ pk: `M#${repo}#${digest}`, sk: 'VS' }),
  vulnerable: (cve: string, repo: string, digest: string): Key => ({
    pk: `CV#${cve}`,
    sk: `${repo}#${digest}`,
  }),
  scanned: (project: string, repo: string, digest: string): Key => ({
    pk: `SC#${project}`,
    sk: `${repo}#${digest}`,
  }),
  vulnerability: (cve: string): Key => ({ pk: `CVD#${cve}`, sk: 'D' }),
  vulnerabilityListing: (danger: string, cve: string): Key => ({
    pk: partitions.vulnerabilities,
    sk: `${danger}#${cve}`,
  }),
  dangerous: (danger: string, repo: string, digest: string): Key => ({
    pk: partitions.dangerous,
    sk: `${danger}#${repo}#${digest}`,
  }),
  artifactTotal: (digest: string): Key => ({ pk: partitions.totals, sk: `A#${shardOf(digest)}` }),
  scanTotal: (repo: string): Key => ({ pk: partitions.totals, sk: `V#${shardOf(repo)}` }),
  packages: (repo: string, digest: string, part: number): Key => ({
    pk: `M#${repo}#${digest}`,
    sk: `VP#${String(part).padStart(4, '0')}`,
  }),
  billOfMaterials: (project: string, repo: string, digest: string): Key => ({
    pk: `SB#${project}`,
    sk: `${repo}#${digest}`,
  }),
  packageIn: (name: string, version: string, repo: string, image: string, holder: string): Key => ({
    pk: partitions.package(name),
    sk: `${encodeURIComponent(version)}#${repo}#${image}#${holder === image ? '' : holder}`,
  }),
  manifestReference: (repo: string, digest: string, index: string, attempt: string): Key => ({
    pk: `M#${repo}#${digest}`,
    sk: `R#${index}#${attempt}`,
  }),
  deletedManifest: (repo: string, digest: string, birth: string): Key => ({
    pk: `M#${repo}#${digest}`,
    sk: `X#${birth}`,
  }),
  tag: (repo: string, tag: string): Key => ({ pk: `T#${repo}#${tag}`, sk: 'T' }),
  tagMove: (repo: string, tag: string, version: number): Key => ({
    pk: `H#${repo}#${tag}`,
    sk: String(version).padStart(12, '0'),
  }),
  tagListing: (repo: string, tag: string): Key => ({ pk: `TL#${repo}`, sk: tag }),
  tagOfManifest: (repo: string, digest: string, tag: string): Key => ({
    pk: `TD#${repo}#${digest}`,
    sk: tag,
  }),
  referrer: (repo: string, subject: string, digest: string): Key => ({
    pk: `RF#${repo}#${subject}`,
    sk: digest,
  }),
  object: (object: string): Key => ({ pk: `O#${object}`, sk: 'O' }),
  objectReference: (object: string, repo: string, digest: string): Key => ({
    pk: `O#${object}#${shardOf(repo)}`,
    sk: `${repo}#${digest}`,
  }),
  session: (session: string): Key => ({ pk: `S#${session}`, sk: 'S' }),
  candidate: (day: number, name: string): Key => ({ pk: `GC#${day}#${shardOf(name)}`, sk: name }),
  collectorCursor: { pk: 'GC', sk: 'cursor' } as Key,
  sweep: (execution: string): Key => ({ pk: 'SWEEPS', sk: execution }),
  ledgerLine: (execution: string, line: string): Key => ({ pk: `SWEEP#${execution}`, sk: line }),
  event: (event: string): Key => ({ pk: `E#${shardOf(event)}`, sk: event }),
  relayedEvent: (project: string, sequence: number): Key => ({
    pk: `EV#${project}`,
    sk: String(sequence).padStart(12, '0'),
  }),
  projectSequence: (project: string): Key => ({ pk: `ES#${project}`, sk: 'S' }),
  usage: (project: string, digest: string, repo: string, manifest: string): Key => ({
    pk: `Q#${project}#${digest}`,
    sk: `${repo}#${manifest}`,
  }),
  projectBlob: (project: string, digest: string): Key => ({ pk: `PB#${project}`, sk: digest }),
  pulls: (day: number, batch: string): Key => ({ pk: `PULLS#${day}`, sk: batch }),
  denials: (day: number, batch: string): Key => ({ pk: `DENIALS#${day}`, sk: batch }),
  access: (principal: string, what: string): Key => ({ pk: `ACCESS#${principal}`, sk: what }),
  user: (name: string): Key => ({ pk: `U#${name.toLowerCase()}`, sk: 'U' }),
  email: (email: string): Key => ({ pk: `UE#${email.toLowerCase()}`, sk: 'U' }),
  browserSession: (hash: string): Key => ({ pk: `SE#${hash}`, sk: 'S' }),
  loginsOfPair: (nameHash: string, place: string): Key => ({ pk: `LF#${nameHash}#${place}`, sk: 'F' }),
  loginsOfName: (nameHash: string): Key => ({ pk: `LN#${nameHash}`, sk: 'F' }),
  loginsFrom: (place: string): Key => ({ pk: `LP#${place}`, sk: 'F' }),
  userListing: (number: number): Key => ({ pk: 'USERS', sk: ordered(number) }),
  group: (number: number): Key => ({ pk: 'GROUPS', sk: ordered(number) }),
  groupName: (type: number, name: string): Key => ({ pk: `UG#${type}#${name}`, sk: 'G' }),
  robot: (name: string): Key => ({ pk: `RB#${name}`, sk: 'R' }),
  robotListing: (number: number): Key => ({ pk: 'ROBOTS', sk: ordered(number) }),
  member: (project: string, kind: 'user' | 'group', number: number): Key => ({
    pk: `PM#${project}`,
    sk: `${kind === 'user' ? 'U' : 'G'}#${ordered(number)}`,
  }),
  configuration: { pk: 'CFG', sk: 'system' } as Key,
  scannerState: { pk: 'CFG', sk: 'scanner' } as Key,
  scannerSettings: { pk: 'CFG', sk: 'scanners' } as Key,
  scannerRegistration: (id: string): Key => ({ pk: 'SCANNERS', sk: `S#${id}` }),
  scannerName: (name: string): Key => ({ pk: 'SCANNERS', sk: `N#${name}` }),
  scannerUrl: (url: string): Key => ({ pk: 'SCANNERS', sk: `U#${url}` }),
  systemAllowlist: { pk: 'CFG', sk: 'allowlist' } as Key,
  lastNumber: (kind: string): Key => ({ pk: `NUM#${kind}`, sk: 'N' }),
  projectNumber: (number: number): Key => ({ pk: `PID#${number}`, sk: 'P' }),
  label: (id: number): Key => ({ pk: `LB#${id}`, sk: 'L' }),
  labelListing: (scope: string, name: string): Key => ({ pk: labelScope(scope), sk: name }),
  labelled: (label: number, repo: string, digest: string): Key => ({
    pk: `LA#${label}`,
    sk: `${repo}#${digest}`,
  }),
  remoteRegistry: (id: number): Key => ({ pk: `RG#${id}`, sk: 'R' }),
  remoteRegistryUse: (id: number, user: string): Key => ({ pk: `RG#${id}`, sk: `U#${user}` }),
  remoteRegistryLimits: (id: number): Key => ({ pk: `RG#${id}`, sk: 'B' }),
  fetching: (what: string): Key => ({ pk: `FL#${what}`, sk: 'F' }),
  cachedTag: (repo: string, tag: string): Key => ({ pk: `PF#${repo}#${tag}`, sk: 'F' }),
  cachedReferrers: (repo: string, digest: string): Key => ({ pk: `PR#${repo}#${digest}`, sk: 'R' }),
  proxyCounts: (project: string): Key => ({ pk: `PC#${project}`, sk: 'C' }),
  remoteRegistryListing: (name: string): Key => ({ pk: partitions.remoteRegistries, sk: name }),
  webhookPolicy: (project: string, policy: number): Key => ({ pk: `WH#${project}`, sk: ordered(policy) }),
  webhookName: (project: string, name: string): Key => ({ pk: `WN#${project}`, sk: name }),
  webhookTrigger: (policy: number, event: string): Key => ({ pk: `WT#${policy}`, sk: event }),
  webhookDelivery: (event: string, policy: number, target: number): Key => ({
    pk: `WD#${event}`,
    sk: `${policy}#${target}`,
  }),
  replicationPolicy: (id: number): Key => ({ pk: `RP#${id}`, sk: 'R' }),
  replicationPolicyListing: (name: string): Key => ({ pk: partitions.replicationPolicies, sk: name }),
  replicationByEvent: (id: number): Key => ({ pk: partitions.replicationByEvent, sk: ordered(id) }),
  deletedProject: (name: string, id: string): Key => ({ pk: `DP#${name}`, sk: id }),
  audit: (month: string, atMs: number, id: string): Key => ({
    pk: `AU#${month}`,
    sk: `${String(atMs).padStart(13, '0')}#${id}`,
  }),
  projectAudit: (project: string, atMs: number, id: string): Key => ({
    pk: `AP#${project}`,
    sk: `${String(atMs).padStart(13, '0')}#${id}`,
  }),
  execution: (execution: number): Key => ({ pk: `JE#${execution}`, sk: 'E' }),
  task: (execution: number, task: number): Key => ({ pk: `JE#${execution}`, sk: `T#${ordered(task)}` }),
  executionOfVendor: (vendor: string, execution: number): Key => ({
    pk: `JX#${vendor}`,
    sk: ordered(execution),
  }),
  executionOfRule: (vendor: string, rule: number, execution: number): Key => ({
    pk: `JX#${vendor}#${rule}`,
    sk: ordered(execution),
  }),
  openTask: (vendor: string, task: number): Key => ({ pk: `JQ#${vendor}`, sk: ordered(task) }),
  taskLog: (task: number, atMs: number, line: number): Key => ({
    pk: `JL#${task}`,
    sk: `${String(atMs).padStart(13, '0')}#${String(line).padStart(6, '0')}`,
  }),
  place: (limit: string, place: number): Key => ({ pk: `JS#${limit}`, sk: ordered(place) }),
  pausedVendor: (vendor: string): Key => ({ pk: 'JK', sk: vendor }),
  worker: (worker: string): Key => ({ pk: 'JW', sk: worker }),
  schedule: (vendor: string, rule: number): Key => ({ pk: 'JC', sk: `${vendor}#${ordered(rule)}` }),
  message: (queue: string, dueAtMs: number, id: string): Key => ({
    pk: `MQ#${queue}`,
    sk: `${String(dueAtMs).padStart(13, '0')}#${id}`,
  }),
  schema: { pk: 'META', sk: 'schema' } as Key,
  identity: { pk: 'META', sk: 'identity' } as Key,
}

/** Partitions that are listed. */
export const partitions = {
  projects: 'PROJECTS',
  users: 'USERS',
  groups: 'GROUPS',
  robots: 'ROBOTS',
  remoteRegistries: 'REGISTRIES',
  scanners: 'SCANNERS',
  remoteRegistry: (id: number) => `RG#${id}`,
  replicationPolicies: 'POLICIES',
  replicationByEvent: 'POLICIES#event',
  members: (project: string) => `PM#${project}`,
  webhookPolicies: (project: string) => `WH#${project}`,
  webhookNames: (project: string) => `WN#${project}`,
  webhookTriggers: (policy: number) => `WT#${policy}`,
  catalog: 'CATALOG',
  sweeps: 'SWEEPS',
  link: (repo: string, digest: string) => `L#${repo}#${digest}`,
  manifest: (repo: string, digest: string) => `M#${repo}#${digest}`,
  manifests: (repo: string) => `A#${repo}`,
  tags: (repo: string) => `TL#${repo}`,
  tagMoves: (repo: string, tag: string) => `H#${repo}#${tag}`,
  tagsOfManifest: (repo: string, digest: string) => `TD#${repo}#${digest}`,
  referrers: (repo: string, subject: string) => `RF#${repo}#${subject}`,
  objectReferences: (object: string) => shards((shard) => `O#${object}#${shard}`),
  candidates: (day: number) => shards((shard) => `GC#${day}#${shard}`),
  events: shards((shard) => `E#${shard}`),
  relayedEvents: (project: string) => `EV#${project}`,
  usage: (project: string, digest: string) => `Q#${project}#${digest}`,
  labels: (scope: string) => labelScope(scope),
  labelled: (label: number) => `LA#${label}`,
  projectBlobs: (project: string) => `PB#${project}`,
  audit: (month: string) => `AU#${month}`,
  projectAudit: (project: string) => `AP#${project}`,
  ledger: (execution: string) => `SWEEP#${execution}`,
  pulls: (day: number) => `PULLS#${day}`,
  denials: (day: number) => `DENIALS#${day}`,
  access: (principal: string) => `ACCESS#${principal}`,
  execution: (execution: number) => `JE#${execution}`,
  executionsOfVendor: (vendor: string) => `JX#${vendor}`,
  executionsOfRule: (vendor: string, rule: number) => `JX#${vendor}#${rule}`,
  openTasks: (vendor: string) => `JQ#${vendor}`,
  taskLog: (task: number) => `JL#${task}`,
  pausedVendors: 'JK',
  workers: 'JW',
  vulnerable: (cve: string) => `CV#${cve}`,
  scanned: (project: string) => `SC#${project}`,
  vulnerabilities: 'CVES',
  dangerous: 'SD',
  totals: 'TOTALS',
  billsOfMaterials: (project: string) => `SB#${project}`,
  package: (name: string) => `PK#${name.toLowerCase()}`,
  schedules: 'JC',
  messages: (queue: string) => `MQ#${queue}`,
}

/** @param scope a project's id, or `g` for labels of the whole registry */
function labelScope(scope: string): string {
  return scope === 'g' ? 'LS#g' : `LS#p#${scope}`
}

/** Whole days since 1970 in UTC. */
export function dayOf(epochMs: number): number {
  return Math.floor(epochMs / DAY_MS)
}

/** Numbers sort as text. */
function ordered(number: number): string {
  return String(number).padStart(10, '0')
}

function shardOf(text: string): number {
  let hash = 0
  for (let at = 0; at < text.length; at++) hash = (hash * 31 + text.charCodeAt(at)) | 0
  return Math.abs(hash) % SHARDS
}

function shards(key: (shard: number) => string): string[] {
  return Array.from({ length: SHARDS }, (_, shard) => key(shard))
}
