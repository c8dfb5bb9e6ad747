// The import graph of bin/, lambdas/ and lib/: every file is seen, and every edge is one of those allowed here.
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parseSync, Visitor } from 'oxc-parser'
import { expect, test } from 'vitest'

const root = path.resolve(import.meta.dirname, '../..')

/** Layer -> layers it may import from, besides itself. */
const LAYERS: Record<string, string[]> = {
  oci: [],
  registry: ['oci'],
  jobs: ['oci', 'registry'],
  scanning: ['oci', 'registry', 'access', 'jobs', 'events', 'artifacts', 'outbound'],
  sbom: ['oci', 'registry', 'jobs', 'events', 'artifacts', 'scanning'],
  policy: ['oci', 'registry', 'scanning'],
  kinds: ['registry', 'jobs', 'events', 'registries', 'proxy', 'replication', 'scanning', 'sbom'],
  replication: ['oci', 'registry', 'jobs', 'artifacts', 'upstream', 'registries'],
  'harbor-import': [
    'oci',
    'registry',
    'access',
    'artifacts',
    'jobs',
    'events',
    'outbound',
    'registries',
    'replication',
  ],
  edge: [],
  doctor: [],
  preflight: ['config'],
  cost: ['config'],
  access: ['oci', 'registry'],
  artifacts: ['oci', 'registry'],
  config: ['oci', 'registry'],
  outbound: [],
  upstream: ['oci', 'outbound'],
  registries: ['oci', 'registry', 'access', 'jobs', 'outbound', 'upstream'],
  events: ['oci', 'registry', 'access', 'jobs', 'outbound'],
  proxy: ['oci', 'registry', 'registries', 'upstream'],
  http: [
    'oci',
    'registry',
    'jobs',
    'events',
    'access',
    'artifacts',
    'upstream',
    'registries',
    'proxy',
    'replication',
    'policy',
    'scanning',
    'sbom',
  ],
  server: [
    'oci',
    'registry',
    'jobs',
    'kinds',
    'events',
    'access',
    'config',
    'http',
    'outbound',
    'upstream',
    'registries',
    'proxy',
    'replication',
    'harbor-import',
    'policy',
    'scanning',
    'sbom',
  ],
  local: ['oci', 'registry', 'access', 'server', 'proxy'],
  aws: ['oci', 'registry', 'jobs', 'events', 'access', 'config', 'server', 'upstream'],
  shapes: ['config', 'server', 'local', 'aws', 'upstream'],
  functions: [
    'oci',
    'registry',
    'jobs',
    'kinds',
    'events',
    'access',
    'config',
    'http',
    'aws',
    'doctor',
    'outbound',
    'registries',
    'proxy',
    'replication',
  ],
  infra: ['config', 'aws', 'edge'],
  lambdas: ['aws', 'config', 'functions', 'http'],
  bin: [
    'oci',
    'registry',
    'jobs',
    'kinds',
    'access',
    'config',
    'http',
    'outbound',
    'registries',
    'server',
    'shapes',
    'aws',
    'doctor',
    'infra',
    'preflight',
    'cost',
    'outbound',
    'registries',
    'replication',
  ],
}

/** Layer -> packages and Node modules it may use; a trailing `*` is anything that begins so. */
const OUTSIDE: Record<string, string[]> = {
  oci: ['node:crypto'],
  registry: ['node:crypto', 'minimatch'],
  scanning: [
    'node:child_process',
    'node:crypto',
    'node:fs/promises',
    'node:os',
    'node:path',
    'node:timers/promises',
    'node:util',
    'node:zlib',
    'zod/mini',
  ],
  sbom: ['node:util', 'node:zlib', 'semver'],
  policy: ['node:crypto', '@sigstore/core', 'cborg', 'jose'],
  jobs: ['node:crypto', 'node:timers/promises', 'croner'],
  kinds: [],
  replication: ['node:timers/promises', 're2js', 'semver'],
  'harbor-import': ['node:crypto', 'node:timers/promises', 'node:util'],
  artifacts: ['node:util', 'node:zlib', 'modern-tar'],
  access: ['node:crypto', 'jose'],
  config: ['node:fs', 'node:tls', 'node:util', 'yaml', 'zod'],
  // The one place that sends requests to addresses people name.
  outbound: ['node:dns', 'node:http', 'node:https', 'node:net', 'node:tls'],
  upstream: ['node:crypto', 'node:http'],
  registries: [],
  events: ['node:crypto'],
  proxy: ['node:timers/promises'],
  // zlib: content codings, of answers that are too large otherwise.
  http: ['node:crypto', 'node:util', 'node:zlib'],
  server: ['node:*', 'pino', 'prom-client'],
  local: ['node:*'],
  aws: ['node:*', '@aws-sdk/*', '@smithy/node-http-handler', '@smithy/signature-v4', 'jose'],
  shapes: [],
  // What CloudFront's runtime has.
  edge: ['cloudfront', 'crypto'],
  doctor: ['node:crypto', 'node:fs', 'node:util'],
  cost: ['node:util'],
  preflight: ['node:child_process', 'node:util', '@aws-sdk/*'],
  functions: ['@aws-sdk/*', '@middy/core', 'zod'],
  infra: ['node:*', 'aws-cdk-lib*', 'cdk-nag', 'constructs', 'esbuild'],
  lambdas: ['@middy/core', 'zod'],
  bin: ['node:*', '@aws-sdk/*', 'aws-cdk-lib'],
}
const LINES_LIMIT = 400

const files = ['bin', 'lambdas', 'lib'].flatMap((folder) =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => path.join(folder, file)),
)

/** Everything a file names as a module: imports, type imports, re-exports, dynamic imports, worker URLs. */
function importsOf(file: string, text: string): string[] {
  const found: string[] = []
  const add = (node: { value?: unknown } | null | undefined) => {
    if (typeof node?.value === 'string') found.push(node.value)
  }
  const { program, errors } = parseSync(file, text)
  expect(errors, file).toEqual([])
  new Visitor({
    ImportDeclaration: (node) => add(node.source),
    ExportNamedDeclaration: (node) => add(node.source),
    ExportAllDeclaration: (node) => add(node.source),
    ImportExpression: (node) => add(node.source as { value?: unknown }),
    TSImportType: (node) => add(node.source as { value?: unknown }),
    NewExpression: (node) => {
      if ('name' in node.callee && node.callee.name === 'URL') add(node.arguments[0] as { value?: unknown })
    },
  }).visit(program)
  return found.filter((each) => /^(node:|[./@a-z])/.test(each) && !each.startsWith('http'))
}

function layerOf(file: string): string {
  const [top, next] = file.split(path.sep)
  return top === 'lib' ? next! : top!
}

/** @returns why the import is not allowed, or undefined */
function objection(file: string, imported: string): string | undefined {
  const layer = layerOf(file)
  if (imported.startsWith('.')) {
    const target = path.join(path.dirname(file), imported)
    if (!files.includes(target)) return `${file} imports ${imported}, which is no file of ours`
    const other = layerOf(target)
    return other === layer || LAYERS[layer]?.includes(other)
      ? undefined
      : `${layer} must not import ${other}: ${file}`
  }
  const allowed = OUTSIDE[layer] ?? []
  const matches = (each: string) =>
    each.endsWith('*') ? imported.startsWith(each.slice(0, -1)) : imported === each
  if (allowed.some(matches)) return undefined
  return `${layer} must not use ${imported}: ${file}`
}

test('every file belongs to a known layer and imports only what its layer may', () => {
  const seen = files.flatMap((file) => {
    expect(Object.keys(LAYERS)).toContain(layerOf(file))
    return importsOf(file, readFileSync(path.join(root, file), 'utf8')).map((each) => objection(file, each))
  })
  expect(files.length).toBeGreaterThan(70)
  expect(seen.length).toBeGreaterThan(files.length)
  expect(seen.filter(Boolean)).toEqual([])
})

test('a forbidden import is found in every form it can take', () => {
  const text = `
    import { a } from '../local/lock.ts'
    import type { B } from '../http/api.ts'
    export { c } from 'jose'
    const d = await import('node:fs')
    type E = import('pino').Logger
    new Worker(new URL('../local/sqlite-writer.ts', import.meta.url))`
  const objections = importsOf('lib/oci/example.ts', text).map((each) =>
    objection('lib/oci/example.ts', each),
  )
  expect(objections.filter(Boolean)).toHaveLength(6)
})

test(`no file is longer than ${LINES_LIMIT} lines`, () => {
  const long = files.filter(
    (file) => readFileSync(path.join(root, file), 'utf8').split('\n').length > LINES_LIMIT,
  )
  expect(long).toEqual([])
})
