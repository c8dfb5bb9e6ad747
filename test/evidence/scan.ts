// How fast images are scanned here, what that takes of memory, and what it would cost on Fargate.
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PRICES } from '../../lib/cost/prices.ts'
import { openPlace, type Place } from '../scanning/place.ts'
import { cacheOf } from '../scanning/watched.ts'
import { findTool } from '../tools.ts'

export const title = 'Scans'

const COPIES = 16
const SAMPLE_MS = 200
/** Of a worker (lib/infra/workers-stack.ts). */
const TASK = { vcpu: 1, memoryGb: 2 }

interface Run {
  name: string
  layersMb: number
  vulnerabilities: number
  seconds: number
  /** Of all scanners together, at most. */
  scannersMb: number
  serverMb: number
}

export async function collect(): Promise<string> {
  const cacheParent = await openPlace()
  const cache = await cacheOf(cacheParent)
  await cacheParent.server.stop()
  const runs: Run[] = []
  for (const name of ['three', 'thousand', 'machine'] as const) {
    const at = await openPlace({
      args: ['--trivy-skip-update', 'on', '--trivy-offline', 'on', '--trivy-cache', cache],
    })
    await publish(at, name)
    runs.push(await scanAll(at, name))
    await at.close()
  }
  await cacheParent.close()
  const rows = runs.map(
    ({ name, layersMb, vulnerabilities, seconds, scannersMb, serverMb }) =>
      `| ${NAMES[name]} | ${layersMb.toFixed(1)} | ${vulnerabilities} | ${COPIES} in ${seconds.toFixed(1)} s | ${((COPIES / seconds) * 60).toFixed(0)} | ${scannersMb.toFixed(0)} | ${serverMb.toFixed(0)} | ${costOfThousand(seconds)} |`,
  )
  return [
    `Everything is scanned by the API (\`scanAll\`), ${COPIES} images of a kind, two at once, by trivy ${version()} on ${availableParallelism()} cores, vulnerabilities`,
    'and secrets, with the small database that trivy-db made of the tests’ advisories: the real one, which is far larger, was not to',
    'be had here. Layers are pulled from the registry on the same machine. Memory is resident',
    `memory, sampled every ${SAMPLE_MS} ms. The cost is on paper: ${TASK.vcpu} vCPU and ${TASK.memoryGb} GB of Fargate on arm64 in us-east-1, one scan at a time, as fast as`,
    'one core here; the start of a task and the download of the database, once each, come on top.',
    '',
    '| image | layers, MB | vulnerabilities | scanned | images a minute | scanners, MB | registry, MB | 1,000 scans, USD |',
    '|---|---|---|---|---|---|---|---|',
    ...rows,
    '',
    'New vulnerabilities against 10,000 stored bills of materials: [rematch](rematch.md).',
  ].join('\n')
}

const NAMES: Record<string, string> = {
  three: 'a few packages of Debian and npm',
  thousand: '250 packages of Alpine with 1,000 vulnerabilities',
  machine: 'programs and package lists of this machine',
}

function version(): string {
  return (
    execFileSync(findTool('trivy')!, ['--version'], { encoding: 'utf8' }).match(/Version: (\S+)/)?.[1] ?? '?'
  )
}

/** All cores did the work for that many seconds. */
function costOfThousand(seconds: number): string {
  const { vcpuHour, memoryGbHour } = PRICES['us-east-1']!
  const hours = ((seconds * availableParallelism()) / COPIES / 3600) * 1000
  return (hours * (TASK.vcpu * vcpuHour.usd + TASK.memoryGb * memoryGbHour.usd)).toFixed(3)
}

/** Under as many names as there are copies; each is a manifest of its own, of the same layers. */
async function publish(at: Place, name: 'three' | 'thousand' | 'machine'): Promise<void> {
  const first = `${at.server.host}/library/${name}`
  if (name === 'machine') await publishMachine(at, first)
  else await at.publish(name)
  for (let each = 1; each <= COPIES; each++)
    await at.sh(`crane mutate --insecure --annotation copy=${each} ${first}:v1 -t ${first}:copy${each}`)
  await at.admin('DELETE', `/projects/library/repositories/${name}/artifacts/v1`)
}

async function publishMachine(at: Place, to: string): Promise<void> {
  const wanted = ['usr/bin', 'usr/lib/python3', 'usr/lib/git-core'].filter((each) => existsSync(`/${each}`))
  await at.sh(`
    (cd / && find ${wanted.join(' ')} -type f -size -2M; echo var/lib/dpkg/status; echo etc/os-release; echo usr/lib/os-release) | sort -u > list
    tar czf machine.tgz -C / --no-recursion -T list --ignore-failed-read 2>/dev/null || true
    crane append --insecure --oci-empty-base -f machine.tgz -t ${to}:v1`)
}

async function scanAll(at: Place, name: string): Promise<Run> {
  const manifest = JSON.parse(
    await at.sh(`crane manifest --insecure ${at.server.host}/library/${name}:copy1`),
  )
  const layersMb = manifest.layers.reduce((sum: number, each: { size: number }) => sum + each.size, 0) / 1e6
  const peak = { scannersMb: 0, serverMb: 0 }
  const startedAt = performance.now()
  await at.admin('POST', '/system/scanAll/schedule', { schedule: { type: 'Manual' } })
  for (;;) {
    sample(at.server.process.pid!, peak)
    const { json } = await at.admin('GET', '/scans/all/metrics')
    if (json.total > 0 && !json.ongoing) {
      if (json.metrics?.Success !== json.total) throw new Error(JSON.stringify(json))
      if (json.total !== COPIES) throw new Error(`${json.total} images were scanned`)
      break
    }
    await sleep(SAMPLE_MS)
  }
  const seconds = (performance.now() - startedAt) / 1000
  const artifact = `/projects/library/repositories/${name}/artifacts/copy1?with_scan_overview=true`
  const { json } = await at.admin('GET', artifact)
  const [overview] = Object.values(json.scan_overview) as { summary: { total: number } }[]
  return { name: path.basename(name), layersMb, vulnerabilities: overview!.summary.total, seconds, ...peak }
}

function sample(serverPid: number, peak: { scannersMb: number; serverMb: number }): void {
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid=,rss='], { encoding: 'utf8' }).trim().split('\n')
  const processes = lines.map((line) => line.trim().split(/\s+/).map(Number) as [number, number, number])
  const megabytes = (is: (pid: number, parent: number) => boolean) =>
    processes.reduce((sum, [pid, parent, rss]) => sum + (is(pid, parent) ? rss / 1024 : 0), 0)
  peak.scannersMb = Math.max(
    peak.scannersMb,
    megabytes((_, parent) => parent === serverPid),
  )
  peak.serverMb = Math.max(
    peak.serverMb,
    megabytes((pid) => pid === serverPid),
  )
}
