// Harbor's harbor.yml as a configuration of ours, with a line on every key: what it became, or why nothing.
import { parseDocument, stringify } from 'yaml'
import { ConfigError } from './config.ts'
import { type Fate, HARBOR_KEYS, type HarborYml } from './harbor-keys.ts'
import { type Config, configSchema } from './schema.ts'

/**
 * @param text of harbor.yml
 * @returns entrepot.yaml: settings, and everything else as comments; no value of a secret
 * @throws ConfigError when it is no YAML map
 */
export function fromHarborYml(text: string): string {
  const harbor = withDefaults(parse(text))
  const settings: Partial<Config> = {}
  const notes = leavesOf(harbor).map(
    ([key, value]) => `# ${shown(key)}: ${translate(key, value, harbor, settings)}`,
  )
  const lines = Object.keys(configSchema.shape)
    .filter((key) => key in settings)
    .map((key) => stringify({ [key]: settings[key as keyof Config] }).trimEnd())
  return [
    '# entrepot.yaml, made from harbor.yml. npm start -- --config entrepot.yaml',
    ...lines,
    ...cloudHint(settings.externalUrl),
    '',
    '# What became of the keys of harbor.yml:',
    ...notes,
    '',
  ].join('\n')
}

/** Puts what it becomes into the settings. @returns what the line about it says */
function translate(key: string, value: unknown, harbor: HarborYml, settings: Partial<Config>): string {
  const row = rowOf(key)
  if (value === null && (row !== undefined || isSection(key))) return 'not needed because it is empty'
  if (row === undefined) return 'unknown: no key of Harbor 2.13 to 2.15, so nothing was made of it'
  const made = typeof row === 'function' ? row(value, harbor) : row
  if ('kind' in made) return tell(made)
  const refused = Object.entries(made).flatMap(([name, setting]) => {
    const parsed = configSchema.shape[name as keyof Config].safeParse(setting)
    return parsed.success ? [] : [`not mapped to ${name}: ${parsed.error.issues[0]!.message}`]
  })
  if (refused.length > 0) return refused.join('; ')
  Object.assign(settings, made)
  return `mapped to ${Object.keys(made).join(' and ')}`
}

function tell(fate: Fate): string {
  if (fate.kind === 'unneeded') return `not needed because ${fate.because}`
  if (fate.kind === 'elsewhere') return `mapped to ${fate.place}; put it there yourself`
  return `no equivalent yet${fate.meanwhile === undefined ? '' : `: ${fate.meanwhile}`}`
}

/** A comment ends with its line, and a key may be anything. */
function shown(key: string): string {
  return /^[\w.-]+$/.test(key) ? key : JSON.stringify(key)
}

/** A key's own row, or the nearest one above it that ends in `*`. */
function rowOf(key: string) {
  const parts = key.split('.')
  const candidates = parts.map((_, index) => [...parts.slice(0, parts.length - index - 1), '*'].join('.'))
  const found = [key, `${key}.*`, ...candidates].find((each) => Object.hasOwn(HARBOR_KEYS, each))
  return found === undefined ? undefined : HARBOR_KEYS[found]
}

function isSection(key: string): boolean {
  return Object.keys(HARBOR_KEYS).some((each) => each.startsWith(`${key}.`))
}

/** Harbor listens on its usual ports where none is given. @throws ConfigError about what Harbor would refuse too */
function withDefaults(harbor: HarborYml): HarborYml {
  const port = (section: unknown, usual: number) => ({
    port: usual,
    ...(section as object | null | undefined),
  })
  const { http, https, ...rest } = harbor
  for (const key of https ? ['certificate', 'private_key'] : [])
    if (typeof (https as Record<string, unknown>)[key] !== 'string')
      throw new ConfigError(`harbor.yml: https.${key} is needed with https`)
  return { http: port(http, 80), ...(https ? { https: port(https, 443) } : {}), ...rest }
}

/** Keys in the order of the file, with dots; lists are values. */
function leavesOf(map: object, above = ''): [string, unknown][] {
  return Object.entries(map).flatMap(([name, value]): [string, unknown][] => {
    const key = `${above}${name}`
    const inner = isMap(value) && Object.keys(value).length > 0
    return inner ? leavesOf(value, `${key}.`) : [[key, value]]
  })
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A certificate's file is of no use to CloudFront: what is needed instead can only be told. */
function cloudHint(externalUrl: string | undefined): string[] {
  if (externalUrl === undefined) return []
  const { hostname: name } = new URL(externalUrl)
  if (!/^[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z][a-z0-9-]*$/.test(name)) return []
  const certificateArn = 'arn:aws:acm:us-east-1:ACCOUNT:certificate/ID'
  return [
    '',
    '# For cdk deploy, with a certificate for that name in ACM (in us-east-1 for CloudFront):',
    ...stringify({ cloud: { domain: { name, certificateArn } } })
      .trimEnd()
      .split('\n')
      .map((line) => `# ${line}`),
  ]
}

/** Says where the fault is and not what stands there: it may be a password. */
function parse(text: string): HarborYml {
  const document = parseDocument(text)
  const [error] = document.errors
  if (error) {
    const at = error.linePos ? ` in line ${error.linePos[0].line}` : ''
    throw new ConfigError(`cannot understand harbor.yml: ${error.code}${at}`)
  }
  const value: unknown = document.toJS()
  if (!isMap(value)) throw new ConfigError('cannot understand harbor.yml: it is not a map of keys')
  return value
}
