// Which operations of docs/openapi.yaml were reached, and how they were answered.
import { ROUTES } from '../../lib/http/harbor/routes.ts'
import { BASE_PATH, operationOf } from '../harbor/swagger.ts'
import type { Answered } from './recording-proxy.ts'

export interface Reached {
  operation: string
  method: string
  path: string
  /** How many answers had each status. */
  statuses: Record<string, number>
}

/** Every operation there is, in the order of the routes. */
export function reached(answered: Answered[]): Reached[] {
  return ROUTES.map(({ method, path }) => {
    const operation = operationOf(method, `${BASE_PATH}${path.replaceAll(/\{\w+\}/g, 'x')}`)!.id
    return {
      operation,
      method,
      path,
      statuses: countsOf(answered.filter((each) => each.operation === operation)),
    }
  })
}

export function countsOf(answered: Answered[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { status } of answered) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

export const hasStatus = ({ statuses }: Reached, hundred: number): boolean =>
  Object.keys(statuses).some((status) => Math.floor(Number(status) / 100) === hundred)
