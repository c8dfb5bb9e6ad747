// The table's stream, S3's events and the schedule -> relay.
import middy from '@middy/core'
import { trustExtraAuthorities } from '../../lib/config/trust.ts'
import { openRelay } from '../../lib/functions/relay-function.ts'
import { readFunctionSettings } from '../../lib/functions/settings.ts'
import { wakeWorkers } from '../../lib/functions/wake-workers.ts'

trustExtraAuthorities(process.env)
const { ENTREPOT_QUEUE: queue, ENTREPOT_CLUSTER: cluster, ENTREPOT_WORKERS: service } = process.env
const relay = openRelay(readFunctionSettings(process.env), wakeWorkers({ queue, cluster, service }))

export const handler = middy<unknown, void>().handler(relay)
