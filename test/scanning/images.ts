// Images with something to find inside, and kinds of artifacts that nothing can be found in.
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { packTar } from 'modern-tar'
import { type Image, makeImage } from '../clients/image.ts'
import { ALPINE, DEBIAN, OLD, packageName, THOUSAND_PACKAGES } from './advisories.ts'

type Files = Record<string, string>

/** Not one that any service would take: the letters after AKIA are drawn by hand. */
export const ACCESS_KEY = 'AKIAQ3EGRZ7PN5TWVX2L'

const alpine = (packages: { name: string; version: string }[]): Files => ({
  'etc/os-release': `NAME="Alpine Linux"\nID=alpine\nVERSION_ID=${ALPINE}.0\n`,
  'etc/alpine-release': `${ALPINE}.0\n`,
  'lib/apk/db/installed': packages
    .map(({ name, version }) => `P:${name}\nV:${version}\nA:x86_64\nL:MIT\no:${name}\n\n`)
    .join(''),
})

const installed = (name: string, source: string, version: string) =>
  `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nSource: ${source}\nVersion: ${version}\n\n`

const debian = (packages: [name: string, source: string, version: string][]): Files => ({
  'etc/os-release': `NAME="Debian GNU/Linux"\nID=debian\nVERSION_ID="${DEBIAN.number}"\n`,
  'etc/debian_version': `${DEBIAN.number}.11\n`,
  'var/lib/dpkg/status': packages.map((each) => installed(...each)).join(''),
})

/** Where nothing is wrong although the database knows packages of these names: the versions are the fixed ones. */
const CLEAN = alpine([
  { name: packageName(0), version: '1.0.1-r0' },
  { name: 'musl', version: '1.2.5-r10' },
])

const KINDS = {
  clean: CLEAN,
  three: {
    ...debian([
      ['libssl3', 'openssl', '3.0.17-1~deb12u2'],
      ['zlib1g', 'zlib', '1:1.2.13.dfsg-1'],
      ['bash', 'bash', '5.2.15-2'],
    ]),
    'app/node_modules/minimist/package.json': JSON.stringify({ name: 'minimist', version: '1.2.5' }),
  },
  thousand: alpine(
    Array.from({ length: THOUSAND_PACKAGES }, (_, number) => ({ name: packageName(number), version: OLD })),
  ),
  /** A secret in a file, and a Dockerfile that runs as root: no vulnerability. */
  careless: {
    ...CLEAN,
    'root/.aws/credentials': `[default]\naws_access_key_id = ${ACCESS_KEY}\n`,
    'app/Dockerfile': `FROM alpine:latest\nADD . /app\nUSER root\nCMD ["/app/run"]\n`,
  },
} satisfies Record<string, Files>

export type Kind = keyof typeof KINDS | 'index'

/**
 * An OCI layout in `directory` that crane pushes; its layers are the same bytes each time.
 * `index` is `three` for amd64 and `clean` for arm64.
 * @param stored is its layer in truth, whatever the image says of it
 */
export async function makeScannable(directory: string, kind: Kind, stored?: Buffer): Promise<Image> {
  const layout = path.join(directory, `image-${kind}${stored ? '-lies' : ''}`)
  const filesOf = (architecture: string): Files =>
    kind !== 'index' ? KINDS[kind] : architecture === 'amd64' ? KINDS.three : KINDS.clean
  const architectures = kind === 'index' ? ['amd64', 'arm64'] : ['amd64']
  const archives = new Map<string, Buffer>()
  for (const each of architectures) archives.set(each, await tarOf(filesOf(each)))
  const archive = (architecture: string) => archives.get(architecture)!
  return makeImage(layout, {
    layers: 1,
    layerBytes: 0,
    architectures,
    archive,
    ...(stored ? { stored } : {}),
  })
}

/** A Helm chart and its configuration, as `helm push` would send them: names of files in `directory`. */
export async function makeChart(directory: string): Promise<{ archive: string; config: string }> {
  const metadata = JSON.stringify({ apiVersion: 'v2', name: 'chart', version: '1.0.0' })
  const chart = await tarOf({ 'chart/Chart.yaml': metadata })
  await writeFile(path.join(directory, 'chart.tgz'), gzipSync(chart))
  await writeFile(path.join(directory, 'chart.json'), metadata)
  return { archive: 'chart.tgz', config: 'chart.json' }
}

async function tarOf(files: Files): Promise<Buffer> {
  const entries = Object.entries(files).map(([name, body]) => ({
    header: { name, size: Buffer.byteLength(body), type: 'file' as const, mtime: new Date(0) },
    body,
  }))
  return Buffer.from(await packTar(entries))
}
