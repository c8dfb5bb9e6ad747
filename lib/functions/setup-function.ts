// Runs at each deployment, and on a schedule to rotate keys: the table, the administrator, the keys, the edge's copy of them.
import { ensureAdmin } from '../access/users.ts'
import { openAwsStores } from '../aws/open-stores.ts'
import { readSecretText } from '../aws/secrets-manager.ts'
import { answerCustomResource, isCustomResource } from './custom-resource.ts'
import { edgeKeys } from './edge-keys.ts'
import { logLine } from './log.ts'
import type { FunctionSettings } from './settings.ts'

export interface SetupSettings extends FunctionSettings {
  /** A secret's ARN: the administrator's password. */
  adminPassword: string
  /** The edge's key-value store, where there is an edge. */
  keyValueStore?: string
}

export async function runSetup(event: unknown, settings: SetupSettings): Promise<void> {
  if (isCustomResource(event)) return answerCustomResource(event, async () => setUp(settings))
  if ((event as { task?: string }).task === 'rotate') return rotate(settings)
  throw new Error('this function sets up a deployment, or rotates its keys')
}

async function setUp(settings: SetupSettings): Promise<Record<string, string>> {
  const stores = await openAwsStores(settings.config)
  await ensureAdmin(stores.registry, await readSecretText(settings.adminPassword))
  if (settings.keyValueStore !== undefined)
    await edgeKeys(settings.keyValueStore).publish(stores.secrets.document)
  await stores.close()
  return {}
}

/** The new keys sign in ten minutes; by then every process and every edge knows them. */
async function rotate(settings: SetupSettings): Promise<void> {
  const stores = await openAwsStores(settings.config, { prepared: true })
  await stores.rotateKeys()
  if (settings.keyValueStore !== undefined)
    await edgeKeys(settings.keyValueStore).publish(stores.secrets.document)
  await stores.close()
  logLine({ component: 'setup', task: 'rotate', sessionKeys: stores.secrets.document.session.length })
}
