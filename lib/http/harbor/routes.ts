// Every route of the management API.
import { ARTIFACT_TAG_ROUTES } from './artifact-tags.ts'
import { ARTIFACT_ROUTES } from './artifacts.ts'
import type { HarborRoute } from './call.ts'
import { LABEL_ROUTES } from './labels.ts'
import { REPOSITORY_ROUTES } from './repositories.ts'
import { SYSTEM_ROUTES } from './system.ts'

export const ROUTES: HarborRoute[] = [
  ...SYSTEM_ROUTES,
  ...REPOSITORY_ROUTES,
  ...ARTIFACT_ROUTES,
  ...ARTIFACT_TAG_ROUTES,
  ...LABEL_ROUTES,
]
