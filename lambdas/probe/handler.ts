// CloudFormation once a deployment is up, people by hand -> probe.
import middy from '@middy/core'
import * as z from 'zod'
import { trustExtraAuthorities } from '../../lib/config/trust.ts'
import { type Facts, runProbe } from '../../lib/functions/probe-function.ts'

trustExtraAuthorities(process.env)
const env = z
  .object({
    ENTREPOT_URL: z.url(),
    ENTREPOT_ADMIN_PASSWORD_SECRET: z.string(),
    ENTREPOT_EDGE_KEYS: z.string(),
    ENTREPOT_DIRECT_UPLOADS: z.enum(['on', 'off']),
  })
  .parse(process.env)
const settings = {
  url: env.ENTREPOT_URL,
  adminPassword: env.ENTREPOT_ADMIN_PASSWORD_SECRET,
  keyValueStore: env.ENTREPOT_EDGE_KEYS,
  directUploads: env.ENTREPOT_DIRECT_UPLOADS,
}

export const handler = middy<unknown, Facts | undefined>().handler((event) => runProbe(event, settings))
