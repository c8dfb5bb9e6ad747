// The table's stream, S3's events and the schedules -> relay.
import middy from '@middy/core'
import { dispatchTo } from '../../lib/aws/job-queues.ts'
import { trustExtraAuthorities } from '../../lib/config/trust.ts'
import { openRelay } from '../../lib/functions/relay-function.ts'
import { readFunctionSettings } from '../../lib/functions/settings.ts'

trustExtraAuthorities(process.env)
const relay = openRelay(readFunctionSettings(process.env), dispatchTo(process.env))

export const handler = middy<unknown, void>().handler(relay)
