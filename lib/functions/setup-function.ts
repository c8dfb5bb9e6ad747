// Runs at each deployment, on a schedule to rotate keys, and by hand: the table, the administrator, the keys, the edge's copy of them.
import { ensureAdmin } from '../access/users.ts'
import { openAwsStores, openRegistry } from '../aws/open-stores.ts'
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
  const { task } = (event ?? {}) as { task?: string }
  if (task === 'rotate') return rotate(settings)
  if (task === 'password') return setPassword(settings)
  throw new Error('this function sets up a deployment, or does {"task":"rotate"} or {"task":"password"}')
}

async function setUp(settings: SetupSettings): Promise<Record<string, string>> {
  const stores = await openAwsStores(settings.config)
  await ensureAdmin(stores.registry, await readSecretText(settings.adminPassword))
  if (settings.keyValueStore !== undefined)
    await edgeKeys(settings.keyValueStore).publish(stores.secrets.document)
  await stores.close()
  return {}
}

/** The secret's value counts from now on; who logged in with another one logs in again. */
async function setPassword(settings: SetupSettings): Promise<void> {
  const { registry, close } = openRegistry(settings.config)
  await ensureAdmin(registry, await readSecretText(settings.adminPassword))
  close()
  logLine({ component: 'setup', task: 'password' })
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
