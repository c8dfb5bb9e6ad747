// A Helm chart, as far as its page shows it: texts out of its archive, the rest out of its config.
import { isObject } from '../oci/descriptor.ts'
import { gunzipBounded, readTar } from './archive.ts'

export interface ChartDependency {
  name: string
  version?: string
  repository: string
  condition?: string
  tags?: unknown[]
  enabled?: boolean
  'import-values'?: unknown[]
  alias?: string
}

export interface ChartTexts {
  /** As written; empty where there is none. */
  values: string
  readme: string
}

const FILES = ['values.yaml', 'readme.md']

/**
 * @param archive the chart's layer, a gzipped tar of one folder
 * @throws REQUEST_INVALID when it is none, or too large (413)
 */
export async function readChart(archive: Uint8Array): Promise<ChartTexts> {
  const files = await readTar(await gunzipBounded(archive), (name) => FILES.includes(fileOf(name)))
  const text = (name: string) => files.find((file) => fileOf(file.name) === name)?.text ?? ''
  return {
    values: text('values.yaml'),
    readme: text('readme.md'),
  }
}

/** The path inside the chart's folder, lower case; of a subchart's files it has slashes. */
function fileOf(name: string): string {
  const path = name.startsWith('./') ? name.slice(2) : name
  return path.slice(path.indexOf('/') + 1).toLowerCase()
}

/**
 * Helm writes Chart.yaml as JSON into the config, and requirements.yaml of older charts too, so no YAML is read here.
 * @param config parsed
 */
export function chartDependencies(config: Record<string, unknown> | undefined): ChartDependency[] {
  const { dependencies } = config ?? {}
  return Array.isArray(dependencies) ? dependencies.filter(isObject).map(dependency) : []
}

function dependency(entry: Record<string, unknown>): ChartDependency {
  const word = (name: string) => (typeof entry[name] === 'string' ? entry[name] : '')
  const optional = (name: string) => (word(name) === '' ? {} : { [name]: word(name) })
  const list = (name: string) => (Array.isArray(entry[name]) ? { [name]: entry[name] } : {})
  return {
    name: word('name'),
    ...optional('version'),
    repository: word('repository'),
    ...optional('condition'),
    ...list('tags'),
    ...(entry.enabled === true ? { enabled: true } : {}),
    ...list('import-values'),
    ...optional('alias'),
  }
}
