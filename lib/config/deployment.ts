// The configuration of a deployment, as everything that deploys or looks at one reads it.
import { existsSync } from 'node:fs'
import { type CloudConfig, cloudSchema } from './cloud.ts'
import { readConfig } from './config.ts'
import type { Config } from './schema.ts'

const USUAL_FILE = 'entrepot.yaml'

/**
 * The environment has no say: what is deployed is what the file says.
 * @param file entrepot.yaml, if there is one, when absent
 * @throws ConfigError
 */
export function readDeployment(file?: string): { config: Config; cloud: CloudConfig } {
  const named = file ?? (existsSync(USUAL_FILE) ? USUAL_FILE : undefined)
  const config = readConfig(named === undefined ? [] : ['--config', named], {})
  return { config, cloud: config.cloud ?? cloudSchema.parse({}) }
}
