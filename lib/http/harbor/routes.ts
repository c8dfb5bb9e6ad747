// Every route of the management API.
import type { HarborRoute } from './call.ts'
import { SYSTEM_ROUTES } from './system.ts'

export const ROUTES: HarborRoute[] = [...SYSTEM_ROUTES]
