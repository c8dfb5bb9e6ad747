// Which operations of docs/openapi.yaml were reached, and how they were answered.
import { ROUTES } from '../../lib/http/harbor/routes.ts'
import { BASE_PATH, operationOf } from '../harbor/swagger.ts'

export interface Answered {
  /** Undefined for what is no operation. */
  operation: string | undefined
  method: string
  path: string
  status: number
}

export interface Reached {
  operation: string
  method: string
  path: string
  /** How many answers had each status. */
  statuses: Record<string, number>
}

const OPERATIONS = ROUTES.map(({ method, path, own }) => ({
  method,
  path,
  operation: own ?? operationOf(method, `${BASE_PATH}${path.replaceAll(/\{\w+\}/g, 'x')}`)!.id,
  own: own === undefined ? undefined : new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
}))

/** @param path without its query. @returns undefined for what is no operation */
export function operationAt(method: string, path: string): string | undefined {
  if (!path.startsWith(`${BASE_PATH}/`)) return undefined
  const below = path.slice(BASE_PATH.length)
  const ours = OPERATIONS.find((each) => each.method === method && each.own?.test(below))
  return ours?.operation ?? operationOf(method, path)?.id
}

/** Every operation there is, in the order of the routes. */
export function reached(answered: Answered[]): Reached[] {
  return OPERATIONS.map(({ operation, method, path }) => ({
    operation,
    method,
    path,
    statuses: countsOf(answered.filter((each) => each.operation === operation)),
  }))
}

export function countsOf(answered: Answered[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { status } of answered) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

export const hasStatus = ({ statuses }: Reached, hundred: number): boolean =>
  Object.keys(statuses).some((status) => Math.floor(Number(status) / 100) === hundred)
