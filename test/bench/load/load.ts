// The load generator: a process of its own, so that it shares no event loop with what it measures.
//   node test/bench/load/load.ts '{"kind":"read",…}'     prints a JobResult as JSON
import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type ImagesJob, type Job, type JobResult, repositoryName, TAGS_REPOSITORY, tagName } from './jobs.ts'
import * as oci from './oci-client.ts'
import { Connection } from './raw-http.ts'
import { drive } from './timing.ts'
import { runUploads } from './uploads.ts'

function run(job: Job): Promise<JobResult> {
  switch (job.kind) {
    case 'read':
      return drive(job.host, job, async (connection, index) => {
        const path = job.paths[index % job.paths.length]!
        const answer = await connection.request(job.method, path, { headers: job.headers ?? {} })
        return oci.expectStatus(answer, 200, `${job.method} ${path}`).bodyBytes
      })
    case 'blobs':
      return drive(job.host, job, async (connection, index) => {
        const bytes = randomBytes(job.sizeBytes)
        await oci.putBlob(connection, `bench/blobs${index % job.connections}`, oci.digestOf(bytes), bytes)
        return 0
      })
    case 'images':
      return drive(job.host, job, (connection, index) => pushImage(connection, index, job))
    case 'tags':
      return seedTags(job.host, job)
    case 'repositories':
      return drive(
        job.host,
        { connections: job.connections, seconds: job.limitSeconds, operations: job.count },
        (connection, index) => putImage(connection, repositoryName(index), 'latest'),
      )
    case 'putFile':
      return putFile(job)
    case 'uploads':
      return runUploads(job)
  }
}

async function pushImage(connection: Connection, index: number, job: ImagesJob): Promise<number> {
  const repository = `bench/images${index % job.connections}`
  const layer = randomBytes(job.layerBytes)
  const config = oci.configOf(layer)
  await oci.pushBlob(connection, repository, layer)
  await oci.pushBlob(connection, repository, config)
  await oci.putManifest(connection, repository, `v${index}`, oci.manifestOf(config, layer))
  return 0
}

/** The shortest way to a stored image, for seeding. */
async function putImage(connection: Connection, repository: string, tag: string): Promise<number> {
  const layer = randomBytes(64)
  const config = oci.configOf(layer)
  await oci.putBlob(connection, repository, oci.digestOf(layer), layer)
  await oci.putBlob(connection, repository, oci.digestOf(config), config)
  await oci.putManifest(connection, repository, tag, oci.manifestOf(config, layer))
  return 0
}

async function seedTags(host: string, job: Extract<Job, { kind: 'tags' }>): Promise<JobResult> {
  // The same image whenever the seeding is continued: one manifest, many tags.
  const layer = Buffer.alloc(64, 'entrepot')
  const config = oci.configOf(layer)
  const manifest = oci.manifestOf(config, layer)
  const first = new Connection(host)
  for (const blob of [layer, config]) await oci.putBlob(first, TAGS_REPOSITORY, oci.digestOf(blob), blob)
  first.close()
  const limits = { connections: job.connections, seconds: job.limitSeconds, operations: job.to - job.from }
  return drive(host, limits, async (connection, index) => {
    await oci.putManifest(connection, TAGS_REPOSITORY, tagName(job.from + index), manifest)
    return 0
  })
}

function putFile(job: Extract<Job, { kind: 'putFile' }>): Promise<JobResult> {
  return drive(job.host, { connections: 1, seconds: 3600, operations: 1 }, async (connection) => {
    const bytes = createReadStream(job.file, { highWaterMark: 1024 * 1024 })
    await oci.putBlob(connection, job.repository, job.digest, { lengthBytes: job.sizeBytes, bytes })
    return 0
  })
}

const result = await run(JSON.parse(process.argv[2]!) as Job)
console.log(JSON.stringify(result))
