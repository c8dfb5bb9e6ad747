// CloudFormation at each deployment, the schedule for rotation, people by hand -> setup.
import middy from '@middy/core'
import { trustExtraAuthorities } from '../../lib/config/trust.ts'
import { readFunctionSettings } from '../../lib/functions/settings.ts'
import { runSetup } from '../../lib/functions/setup-function.ts'

trustExtraAuthorities(process.env)
const { ENTREPOT_ADMIN_PASSWORD_SECRET: adminPassword, ENTREPOT_EDGE_KEYS: keyValueStore } = process.env
if (adminPassword === undefined)
  throw new Error('environment variable ENTREPOT_ADMIN_PASSWORD_SECRET: required')
const settings = {
  ...readFunctionSettings(process.env),
  adminPassword,
  ...(keyValueStore === undefined ? {} : { keyValueStore }),
}

export const handler = middy<unknown, void>().handler((event) => runSetup(event, settings))
