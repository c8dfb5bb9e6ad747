// Which stores a configuration asks for. The cloud's are loaded only when they are wanted: their SDK is large.
import { settingsOf } from '../config/registry-settings.ts'
import type { Config } from '../config/schema.ts'
import { openTemporarySpool } from '../local/file-spool.ts'
import { openData } from '../local/open-data.ts'
import type { OpenStores } from '../server/open-stores.ts'
import type { EcrAuthorization } from '../upstream/open-upstream.ts'

const ecrWhenWanted: EcrAuthorization = async (url, keys) => {
  const { ecrAuthorization } = await import('../aws/ecr-authorization.ts')
  return ecrAuthorization(url, keys)
}

/** @throws StartupError */
export async function openStores(config: Config): Promise<OpenStores> {
  if (config.stores === 'local') {
    const stores = { ...(await openData(config.data, settingsOf(config))), ecr: ecrWhenWanted }
    if (config.cognitoPool === undefined) return stores
    const { providersOf } = await import('../aws/open-stores.ts')
    return { ...stores, providers: providersOf(config) }
  }
  const { openAwsStores } = await import('../aws/open-stores.ts')
  const { dispatchTo } = await import('../aws/job-queues.ts')
  const dispatch = dispatchTo(process.env)
  const stores = await openAwsStores(config)
  return { ...stores, openSpool: openTemporarySpool, ...(dispatch ? { dispatch } : {}) }
}
