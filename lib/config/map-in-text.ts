// A map of keys in YAML, which holds JSON.
import { parse } from 'yaml'
import { ConfigError } from './config.ts'

/** @throws ConfigError when it is none */
export function mapInText(text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = parse(text)
  } catch (error) {
    throw new ConfigError(`that is no YAML: ${(error as Error).message.split('\n')[0]}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ConfigError('that is no map of keys')
  return value as Record<string, unknown>
}
