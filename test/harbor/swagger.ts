// Harbor's own swagger file as a table of operations.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parse } from 'yaml'

/** A schema as Swagger 2.0 writes it. */
export interface SwaggerSchema {
  $ref?: string
  type?: string
  format?: string
  properties?: Record<string, SwaggerSchema>
  items?: SwaggerSchema
  additionalProperties?: SwaggerSchema | boolean
  required?: string[]
  [keyword: string]: unknown
}

export interface Response {
  $ref?: string
  headers?: Record<string, unknown>
  schema?: SwaggerSchema
}

export interface Parameter extends SwaggerSchema {
  name: string
  in: string
  schema?: SwaggerSchema
}

export interface Operation {
  id: string
  tag: string
  method: string
  /** The path template, without the base path. */
  template: string
  produces: string[]
  parameters: Parameter[]
  /** By status, or `default`. */
  responses: Record<string, Response>
}

interface SwaggerOperation {
  operationId: string
  tags: string[]
  produces?: string[]
  parameters?: (Parameter | { $ref: string })[]
  responses: Record<string, Response>
}

interface Document {
  basePath: string
  produces: string[]
  paths: Record<string, Record<string, SwaggerOperation>>
  parameters: Record<string, Parameter>
  definitions: Record<string, SwaggerSchema>
  responses: Record<string, Response>
}

const FILE = path.join(import.meta.dirname, 'swagger/harbor-api-v2.0.yaml')

/** One quoted sentence goes on in a line that is indented too little for YAML; Go's parser does not mind. */
const TOO_LITTLE = '\n        If it is set to "true" the actual allowlist'

const document = parse(
  readFileSync(FILE, 'utf8').replace(TOO_LITTLE, TOO_LITTLE.replace('\n', '\n  ')),
) as Document

export const BASE_PATH = document.basePath
export const DEFINITIONS = document.definitions

const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete']

/** Every operation that Harbor describes. */
export const OPERATIONS: Operation[] = Object.entries(document.paths).flatMap(([template, item]) =>
  METHODS.flatMap((method) => {
    const found = item[method]
    if (!found) return []
    return {
      id: found.operationId,
      tag: found.tags[0]!,
      method: method.toUpperCase(),
      template,
      produces: found.produces ?? document.produces,
      parameters: (found.parameters ?? []).map((each) =>
        '$ref' in each && each.$ref
          ? document.parameters[each.$ref.replace('#/parameters/', '')]!
          : (each as Parameter),
      ),
      responses: Object.fromEntries(
        Object.entries(found.responses).map(([status, response]) => [status, resolved(response)]),
      ),
    }
  }),
)

function resolved(response: Response): Response {
  return response.$ref ? document.responses[response.$ref.replace('#/responses/', '')]! : response
}

/** Literal segments count: `/users/current` comes before `/users/{user_id}`, and the longer of two templates. */
const literals = (template: string) =>
  template.split('/').filter((segment) => segment !== '' && !segment.startsWith('{')).length

/** Some of Harbor's own paths end in a slash; with or without it they are the same. */
const bare = (path: string) => path.replace(/(.)\/$/, '$1')

const ROUTES = OPERATIONS.map((operation) => ({ operation, pattern: patternOf(operation.template) })).sort(
  (a, b) => literals(b.operation.template) - literals(a.operation.template),
)

function patternOf(template: string): RegExp {
  const segments = bare(template)
    .split('/')
    .map((segment) => {
      // Names with slashes come encoded twice, once or not at all.
      if (segment === '{repository_name}') return '.+'
      return segment.startsWith('{') ? '[^/]+' : segment.replaceAll('.', '\\.')
    })
  return new RegExp(`^${segments.join('/')}$`)
}

/**
 * The operation that a request is for, or undefined.
 * @param target the request target: a path under `/api/v2.0` and perhaps a query
 */
export function operationOf(method: string, target: string): Operation | undefined {
  const merged = target.split('?')[0]!.replaceAll(/\/+/g, '/')
  if (!merged.startsWith(`${BASE_PATH}/`)) return undefined
  const rest = bare(merged.slice(BASE_PATH.length))
  return ROUTES.find(({ operation, pattern }) => operation.method === method && pattern.test(rest))?.operation
}
