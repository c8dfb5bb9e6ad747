// The queue of light jobs -> their runs.
import middy from '@middy/core'
import { dispatchTo } from '../../lib/aws/job-queues.ts'
import { trustExtraAuthorities } from '../../lib/config/trust.ts'
import { openJobs } from '../../lib/functions/jobs-function.ts'
import { readFunctionSettings } from '../../lib/functions/settings.ts'

trustExtraAuthorities(process.env)
const dispatch = dispatchTo(process.env)
if (!dispatch) throw new Error('environment variables ENTREPOT_QUEUE and ENTREPOT_LIGHT_QUEUE: required')
const run = openJobs(readFunctionSettings(process.env), dispatch)

export const handler = middy<Parameters<typeof run>[0], Awaited<ReturnType<typeof run>>>().handler(run)
