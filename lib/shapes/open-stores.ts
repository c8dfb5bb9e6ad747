// Which stores a configuration asks for. The cloud's are loaded only when they are wanted: their SDK is large.
import { type Config, settingsOf } from '../config/schema.ts'
import { openData } from '../local/open-data.ts'
import type { OpenStores } from '../server/open-stores.ts'

/** @throws StartupError */
export async function openStores(config: Config): Promise<OpenStores> {
  if (config.stores === 'local') return openData(config.data, settingsOf(config))
  const { openAwsStores } = await import('../aws/open-stores.ts')
  return openAwsStores(config)
}
