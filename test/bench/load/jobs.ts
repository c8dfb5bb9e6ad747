// What the bench can ask of its load generator, and what it gets back. One job is one generator process.

interface Target {
  /** `127.0.0.1:5000` */
  host: string
}

interface Timed {
  connections: number
  seconds: number
}

/** The same requests over and over: each connection takes the paths in turn. */
interface ReadJob extends Target, Timed {
  kind: 'read'
  method: 'GET' | 'HEAD'
  paths: string[]
  headers?: Record<string, string>
  /** Before the clock starts: connections open, generator and registry warm. */
  warmupSeconds: number
}

/** Blobs of fresh content, each with POST and a PUT of the whole. */
export interface BlobsJob extends Target, Timed {
  kind: 'blobs'
  sizeBytes: number
}

/** Whole images as skopeo and crane push them: per blob HEAD, POST, PATCH, PUT; then the manifest. */
export interface ImagesJob extends Target, Timed {
  kind: 'images'
  layerBytes: number
}

/** One manifest under the tags `t000000` … in the repository `bench/tags`, until the time is up. */
interface TagsJob extends Target {
  kind: 'tags'
  from: number
  to: number
  connections: number
  limitSeconds: number
}

/** Repositories `bench/r00000` … with one small image each. */
interface RepositoriesJob extends Target {
  kind: 'repositories'
  count: number
  connections: number
  limitSeconds: number
}

/** One blob of a file, with POST and a PUT of the whole. */
interface PutFileJob extends Target {
  kind: 'putFile'
  repository: string
  file: string
  sizeBytes: number
  digest: string
}

/** Uploads of fresh content that run at once: one PATCH stream without a length, or chunks with Content-Range. */
export interface UploadsJob extends Target {
  kind: 'uploads'
  count: number
  sizeBytes: number
  /** Absent: one PATCH for everything, sent with chunked transfer coding. */
  chunkBytes?: number
}

export type Job = ReadJob | BlobsJob | ImagesJob | TagsJob | RepositoriesJob | PutFileJob | UploadsJob

export interface JobResult {
  /** Requests answered, blobs or images or tags stored: what the job counts. */
  count: number
  seconds: number
  p50Ms: number
  p99Ms: number
  bodyBytes: number
  /** Work done in the warm-up too, for figures per operation. */
  countWithWarmup: number
}

/** Where the tags job puts its tags. */
export const TAGS_REPOSITORY = 'bench/tags'

export function tagName(index: number): string {
  return `t${String(index).padStart(6, '0')}`
}

export function repositoryName(index: number): string {
  return `bench/r${String(index).padStart(5, '0')}`
}
