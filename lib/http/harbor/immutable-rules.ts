// Rules on tags that may not change. There are none yet; harbor-cli asks for them before it deletes a project.
import type { HttpResponse } from '../message.ts'
import { type HarborCall, type HarborRoute, requireProject } from './call.ts'
import { listAnswer } from './lists.ts'

export const IMMUTABLE_RULE_ROUTES: HarborRoute[] = [
  { method: 'GET', path: '/projects/{project}/immutabletagrules', run: list },
]

async function list(call: HarborCall): Promise<HttpResponse> {
  await requireProject(call, 'immutable-tag', 'list')
  return listAnswer(call.request, [])
}
