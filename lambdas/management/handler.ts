// API Gateway -> the HTTP core. No decisions here.
import middy from '@middy/core'
import { dispatchTo } from '../../lib/aws/job-queues.ts'
import { trustExtraAuthorities } from '../../lib/config/trust.ts'
import { openHttpFunction } from '../../lib/functions/http-function.ts'
import { requestLog } from '../../lib/functions/request-log.ts'
import { readFunctionSettings } from '../../lib/functions/settings.ts'
import type { GatewayEvent, GatewayResult } from '../../lib/http/gateway.ts'
import { handleHarbor } from '../../lib/http/harbor/harbor-api.ts'

trustExtraAuthorities(process.env)
const answer = await openHttpFunction(readFunctionSettings(process.env), {
  management: handleHarbor,
  dispatch: dispatchTo(process.env),
})

export const handler = middy<GatewayEvent, GatewayResult>().use(requestLog()).handler(answer)
