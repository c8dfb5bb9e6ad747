// Settings of the whole registry, under Harbor's names.

import { attempted } from '../../registry/audit-log.ts'
import {
  CONFIGURATION_DEFAULTS,
  type Configuration,
  changeConfiguration,
  readConfiguration,
  SECRET_KEYS,
} from '../../registry/configuration.ts'
import type { HttpResponse } from '../message.ts'
import { answer, done } from './answers.ts'
import { readFields } from './body.ts'
import { type HarborCall, type HarborRoute, requireSystem } from './call.ts'

export const CONFIGURATION_ROUTES: HarborRoute[] = [
  { method: 'GET', path: '/configurations', run: show },
  { method: 'PUT', path: '/configurations', run: change },
  // Harbor keeps it for its own programs; ours need no such door, so it shows what administrators see.
  { method: 'GET', path: '/internalconfig', run: show },
]

async function show(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, 'configuration', 'read')
  return answer(200, items(await readConfiguration(call.registry)))
}

async function change(call: HarborCall): Promise<HttpResponse> {
  requireSystem(call, 'configuration', 'update')
  const deed = { operation: 'update', resourceType: 'configuration', resource: 'configuration' } as const
  await attempted(call, deed, async () => changeConfiguration(call.registry, await readFields(call.request)))
  return done()
}

/** Without the secrets, which are written and never read. */
function items(settings: Configuration): Record<string, { value: unknown; editable: boolean }> {
  const shown = Object.keys(CONFIGURATION_DEFAULTS).filter((key) => !SECRET_KEYS.has(key))
  return Object.fromEntries(
    shown.map((key) => [key, { value: settings[key as keyof Configuration], editable: true }]),
  )
}
