// The table's stream, S3's events and the schedules -> relay.
import middy from '@middy/core'
import { eventBridge } from '../../lib/aws/event-bridge.ts'
import { dispatchTo } from '../../lib/aws/job-queues.ts'
import { trustExtraAuthorities } from '../../lib/config/trust.ts'
import { openRelay } from '../../lib/functions/relay-function.ts'
import { readFunctionSettings } from '../../lib/functions/settings.ts'

trustExtraAuthorities(process.env)
const { ENTREPOT_EVENT_BUS: bus } = process.env
const settings = readFunctionSettings(process.env)
const relay = openRelay(settings, dispatchTo(process.env), bus === undefined ? undefined : eventBridge(bus))

export const handler = middy<unknown, void>().handler(relay)
