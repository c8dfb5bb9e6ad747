// A Helm chart's archive, as far as its page shows it.
import { parse } from 'yaml'
import { isObject } from '../oci/descriptor.ts'
import { RegistryError } from '../oci/errors.ts'
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

export interface ChartDetails {
  /** As written; empty where there is none. */
  values: string
  readme: string
  dependencies: ChartDependency[]
}

const FILES = ['chart.yaml', 'requirements.yaml', 'values.yaml', 'readme.md']

/**
 * @param archive the chart's layer, a gzipped tar of one folder
 * @throws REQUEST_INVALID when it is none, or too large (413)
 */
export async function readChart(archive: Uint8Array): Promise<ChartDetails> {
  const files = await readTar(await gunzipBounded(archive), (name) => FILES.includes(fileOf(name)))
  const text = (name: string) => files.find((file) => fileOf(file.name) === name)?.text ?? ''
  return {
    values: text('values.yaml'),
    readme: text('readme.md'),
    dependencies: dependenciesOf(text('chart.yaml'), text('requirements.yaml')),
  }
}

/** The path inside the chart's folder, lower case; of a subchart's files it has slashes. */
function fileOf(name: string): string {
  const path = name.startsWith('./') ? name.slice(2) : name
  return path.slice(path.indexOf('/') + 1).toLowerCase()
}

/** Charts of the first API version have their dependencies in a file of their own. */
function dependenciesOf(chart: string, requirements: string): ChartDependency[] {
  const metadata = parsed('Chart.yaml', chart)
  const { dependencies } = metadata.apiVersion === 'v2' ? metadata : parsed('requirements.yaml', requirements)
  if (!Array.isArray(dependencies)) return []
  return dependencies.filter(isObject).map(dependency)
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

function parsed(file: string, text: string): Record<string, unknown> {
  try {
    // Aliases are bounded by the parser, which otherwise could be made to unfold gigabytes.
    const value: unknown = parse(text, { maxAliasCount: 100 })
    return isObject(value) ? value : {}
  } catch (cause) {
    throw new RegistryError('REQUEST_INVALID', `the chart's ${file} is not valid YAML`, { cause })
  }
}
