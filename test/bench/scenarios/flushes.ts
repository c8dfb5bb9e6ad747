// What each registry has flushed to disk when it says 201: read from its system calls, not from its documentation.
import { mkdtempSync, readFileSync, statSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { findTool } from '../../tools.ts'
import type { Bench, Scenario } from '../bench.ts'
import * as oci from '../load/oci-client.ts'
import { Connection } from '../load/raw-http.ts'
import { freePort } from '../processes.ts'
import type { Contestant } from '../registries.ts'

const CALLS = ['fsync', 'fdatasync', 'sync_file_range', 'syncfs', 'sync', 'msync']
const TRACED = [...CALLS, 'rename', 'renameat', 'renameat2', 'open', 'openat'].join(',')

export const flushes: Scenario = {
  name: 'flushes',
  title: 'What is flushed before the 201',
  about: () =>
    'System calls under `strace -f -y` from the request to its 201, for one 4 KiB blob (POST and PUT) and for one ' +
    'manifest under a tag. A registry that flushes less answers sooner and may lose what it acknowledged when the ' +
    'power goes.',
  run: async (bench) => {
    if (!findTool('strace')) {
      bench.note('strace: not installed here (tools/install.sh core)')
      return
    }
    await bench.interleave('strace', 1, (contestant) => trace(bench, contestant))
  },
}

async function trace(bench: Bench, contestant: Contestant): Promise<void> {
  const dataDir = mkdtempSync(path.join(bench.folder, 'data-'))
  const file = path.join(bench.folder, 'strace.txt')
  // -D: the registry, not strace, is the process that is started and later told to stop.
  const wrapper = ['strace', '-D', '-f', '-y', '-qq', '-e', `trace=${TRACED}`, '-o', file]
  const running = await contestant.start({ dataDir, port: await freePort(), wrapper })
  try {
    const connection = new Connection(running.host)
    const layer = Buffer.alloc(4096, 'layer')
    const config = oci.configOf(layer)
    await oci.putBlob(connection, 'bench/flush', oci.digestOf(config), config)
    const blob = await during(file, () => oci.putBlob(connection, 'bench/flush', oci.digestOf(layer), layer))
    const manifest = await during(file, () =>
      oci.putManifest(connection, 'bench/flush', 'latest', oci.manifestOf(config, layer)),
    )
    connection.close()
    for (const [what, lines] of Object.entries({ blob, manifest }))
      bench.note(`${contestant.name}, ${what}: ${summary(lines, dataDir)}`)
  } finally {
    await running.stop()
    await rm(dataDir, { recursive: true, force: true })
    await rm(file, { force: true })
  }
}

/** The lines strace wrote meanwhile; it writes each line when its call returns, before the process goes on. */
async function during(file: string, work: () => Promise<void>): Promise<string[]> {
  const before = readFileSync(file, 'utf8').length
  await work()
  return readFileSync(file, 'utf8').slice(before).split('\n')
}

function summary(lines: string[], dataDir: string): string {
  const targets = lines.flatMap((line) => {
    const [, call, target] = /\b(\w+)\(\d*<?([^>)]*)/.exec(line) ?? []
    return call !== undefined && CALLS.includes(call) ? [{ call, target: target ?? '' }] : []
  })
  const directories = targets.filter(({ target }) => isDirectory(target)).length
  const synchronous = lines.filter((line) => /\bopen\w*\(.*O_D?SYNC/.test(line)).length
  const renamed = lines.filter((line) => /\brename\w*\(/.test(line)).length
  return [
    `${targets.length} flushes, ${directories} of them of directories`,
    `${renamed} renames`,
    ...(synchronous > 0 ? [`${synchronous} files opened O_SYNC`] : []),
    ...(targets.length > 0
      ? [`(${counted(targets.map(({ call, target }) => label(call, target, dataDir)))})`]
      : []),
  ].join(', ')
}

function isDirectory(target: string): boolean {
  return statSync(target, { throwIfNoEntry: false })?.isDirectory() === true
}

/** Digests and ids replaced, so that files of one kind count together. */
function label(call: string, target: string, dataDir: string): string {
  const inside = path.relative(dataDir, target) || '.'
  const kinds = inside
    .split(path.sep)
    .map((part) => (/^[0-9a-f]{2}$|[0-9a-f-]{20,}/i.test(part) ? '*' : part))
  return `${call} \`${kinds.length > 4 ? '…/' : ''}${kinds.slice(-4).join('/')}\``
}

function counted(texts: string[]): string {
  return [...new Set(texts)]
    .map((text) => {
      const count = texts.filter((other) => other === text).length
      return count > 1 ? `${count} x ${text}` : text
    })
    .join(', ')
}
