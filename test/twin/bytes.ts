// Who handles the bytes of a push, by counts that are not ours: files on disk, the S3 server's own access log, and what
// the operating system says the programs read.
import { readFileSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import type { Image } from '../clients/image.ts'
import type { Workplace } from '../clients/workplace.ts'
import { descendantsOf } from './processes.ts'
import type { Twin } from './twin.ts'

export interface Pushed {
  client: string
  family: 'PUT' | 'PATCH'
  /** Bytes of the image's blobs, as they lie on disk. */
  image: number
  /** Body bytes that arrived at the edge. */
  sent: number
  /** By the S3 server's access log. */
  stored: number
  /** Bytes that the ingest tasks read from anywhere, by the operating system. */
  ingest: number
  /** The same of the functions and what runs them. */
  functions: number
}

export interface Pusher {
  client: string
  family: Pushed['family']
  needs: string[]
  push(at: Workplace, image: Image, target: string): Promise<unknown>
}

export const PUSHERS: Pusher[] = [
  {
    client: 'oras',
    family: 'PUT',
    needs: ['oras'],
    push: (at, { layout }, target) =>
      at.sh(`echo $PASSWORD | oras login -u admin --password-stdin ${at.host} &&
        oras cp --from-oci-layout ${layout}:v1 ${target}`),
  },
  {
    client: 'regctl',
    family: 'PUT',
    needs: ['regctl'],
    push: (at, { layout }, target) =>
      at.sh(`echo $PASSWORD | regctl registry login ${at.host} -u admin --pass-stdin &&
        regctl image copy ocidir://${layout}:v1 ${target}`),
  },
  {
    client: 'skopeo',
    family: 'PATCH',
    needs: ['skopeo'],
    push: (at, { layout }, target) =>
      at.sh(
        `skopeo copy --dest-tls-verify=false --dest-creds admin:$PASSWORD oci:${layout}:v1 docker://${target}`,
      ),
  },
  {
    client: 'crane',
    family: 'PATCH',
    needs: ['crane'],
    push: (at, { layout }, target) =>
      at.sh(
        `crane auth login ${at.host} -u admin -p $PASSWORD --insecure && crane push --insecure ${layout} ${target}`,
      ),
  },
]

export async function measure(twin: Twin, at: Workplace, pusher: Pusher, image: Image): Promise<Pushed> {
  const before = await counts(twin)
  await pusher.push(at, image, `${at.host}/library/bytes-${pusher.client}:v1`)
  const after = await counts(twin)
  const { client, family } = pusher
  return {
    client,
    family,
    image: image.blobs.reduce((sum, { size }) => sum + size, 0),
    sent: after.sent - before.sent,
    stored: after.stored - before.stored,
    ingest: after.ingest - before.ingest,
    functions: after.functions - before.functions,
  }
}

async function counts(twin: Twin) {
  return {
    sent: twin.edge.uploadBytes,
    stored: await storedBytes(twin.cloud.stores, twin.bucket),
    ingest: sum(twin.balancer.tasks.map(({ process }) => process.pid!)),
    functions: sum(descendantsOf(twin.cloud.pid)),
  }
}

const sum = (pids: number[]) => pids.reduce((bytes, pid) => bytes + readBytes(pid), 0)

/** By the S3 server's access log; of objects made of parts it tells no size, so theirs are those of its files. */
async function storedBytes(
  { accessLog, directory }: Twin['cloud']['stores'],
  bucket: string,
): Promise<number> {
  let bytes = 0
  for (const line of (await readFile(accessLog, 'utf8')).split('\n')) {
    const fields = line.split(' ')
    if (fields[10] !== '200') continue
    if (fields[7] === 's3_PutObject') bytes += Number(fields[13])
    if (fields[7] === 's3_CompleteMultipartUpload')
      bytes += statSync(path.join(directory, 'objects', bucket, fields[8]!)).size
  }
  return bytes
}

/** Everything a process got from read and its kin: files, sockets, pipes (proc(5), `rchar`). */
function readBytes(pid: number): number {
  try {
    return Number(/^rchar: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1])
  } catch {
    return 0 // it ended
  }
}
