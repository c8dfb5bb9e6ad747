// Configuration: command line over environment over file over defaults; an error names the key and what is allowed.
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { parse as parseYaml } from 'yaml'
import type { z } from 'zod'
import { cloudSchema } from './cloud.ts'
import { type Config, type ConfigKey, configSchema } from './schema.ts'

/** One line saying what is wrong with the configuration and what would be right. */
export class ConfigError extends Error {}

/** Passwords do not belong on a command line, where every user of the machine can read them. */
const NOT_FLAGS: ConfigKey[] = ['adminPassword', 'cloud']
const KEYS = Object.keys(configSchema.shape) as ConfigKey[]
const CLOUD = `; known keys of cloud: ${Object.keys(cloudSchema.shape).join(', ')}`

/**
 * @param args the command line after the program's name
 * @param env `ENTREPOT_PORT`, `ENTREPOT_TLS_CERT` … one for each key
 * @throws ConfigError
 */
export function readConfig(args: string[], env: NodeJS.ProcessEnv): Config {
  const flags = readFlags(args)
  const { config: file, ...given } = flags
  const values = { ...readFile(file ?? env.ENTREPOT_CONFIG), ...readEnvironment(env), ...given }
  const parsed = configSchema.safeParse(values)
  if (!parsed.success) throw new ConfigError(explain(parsed.error, values))
  checkTogether(parsed.data)
  return parsed.data
}

/** One line for each key, for `--help`. */
export function describeConfig(): string[] {
  return KEYS.filter((key) => !NOT_FLAGS.includes(key)).map((key) => {
    const text = configSchema.shape[key].description ?? ''
    return `  --${kebab(key).padEnd(18)} ${text}`
  })
}

function readFlags(args: string[]): Record<string, string | boolean> & { config?: string } {
  const options = Object.fromEntries([
    ...KEYS.filter((key) => !NOT_FLAGS.includes(key)).map((key) => [
      kebab(key),
      { type: key === 'open' ? ('boolean' as const) : ('string' as const) },
    ]),
    ['config', { type: 'string' as const }],
  ])
  try {
    const { values } = parseArgs({ args, options, strict: true, allowPositionals: false })
    return Object.fromEntries(
      Object.entries(values).map(([name, value]) => [camel(name), value]),
    ) as ReturnType<typeof readFlags>
  } catch (error) {
    const message = (error as Error).message.split('. ')[0]
    throw new ConfigError(
      `${message}; known flags: ${Object.keys(options)
        .map((name) => `--${name}`)
        .join(' ')}`,
    )
  }
}

function readEnvironment(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    KEYS.filter((key) => key !== 'cloud').flatMap((key) => {
      const value = env[`ENTREPOT_${kebab(key).replaceAll('-', '_').toUpperCase()}`]
      return value === undefined ? [] : [[key, value]]
    }),
  )
}

function readFile(file: string | undefined): Record<string, unknown> {
  if (file === undefined) return {}
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError(`cannot read the configuration file ${file}: ${(error as Error).message}`)
  }
  try {
    // YAML holds JSON.
    const value: unknown = parseYaml(text)
    if (value === null || value === undefined) return {}
    if (typeof value !== 'object' || Array.isArray(value)) throw new Error('it is not a map of keys')
    return value as Record<string, unknown>
  } catch (error) {
    throw new ConfigError(
      `cannot understand the configuration file ${file}: ${(error as Error).message.split('\n')[0]}`,
    )
  }
}

function explain(error: z.ZodError, values: Record<string, unknown>): string {
  const issue = error.issues[0]!
  const key = issue.path.join('.')
  if (issue.code === 'unrecognized_keys') {
    const known = key === '' ? `; known keys: ${KEYS.join(', ')}` : key === 'cloud' ? CLOUD : ''
    const unknown = issue.keys.map((each) => `"${[...issue.path, each].join('.')}"`).join(', ')
    return `unknown key ${unknown}${known}`
  }
  const value = issue.path.reduce<unknown>(
    (outer, name) => (outer as Record<PropertyKey, unknown> | undefined)?.[name],
    values,
  )
  const shown = key === 'adminPassword' ? 'given' : value === undefined ? 'missing' : JSON.stringify(value)
  return `${key} is ${shown}: ${issue.message}`
}

function checkTogether(config: Config): void {
  if ((config.tlsCert === undefined) !== (config.tlsKey === undefined))
    throw new ConfigError('tlsCert and tlsKey belong together: give both or neither')
  if (config.tlsCa !== undefined && !config.tlsCert)
    throw new ConfigError('tlsCa needs tlsCert and tlsKey: there is no certificate that it could have signed')
  if ((config.cognitoPool === undefined) !== (config.cognitoClient === undefined))
    throw new ConfigError('cognitoPool and cognitoClient belong together: give both or neither')
  const missing = (['bucket', 'table', 'secrets'] as const).find((key) => config[key] === undefined)
  if (config.stores === 'aws' && missing)
    throw new ConfigError(`stores is "aws", so ${missing} is needed: name it with --${missing}`)
  if (config.redirectHttp !== undefined && !config.tlsCert)
    throw new ConfigError('redirectHttp needs tlsCert and tlsKey: there is no HTTPS to redirect to')
  if (config.open && config.host !== undefined && !isLoopback(config.host))
    throw new ConfigError(
      `open is for loopback only, host is ${JSON.stringify(config.host)}: use 127.0.0.1, ::1 or localhost, or drop --open`,
    )
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

function kebab(key: string): string {
  return key.replace('GiB', 'Gib').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
}

function camel(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()).replace('Gib', 'GiB')
}
