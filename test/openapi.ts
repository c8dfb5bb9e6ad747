// docs/openapi.yaml: what the management API takes and answers. Which operations there are is read from the routes
// themselves; their parameters and shapes are Harbor's, because that is what they are compared with in every test.
import { stringify } from 'yaml'
import { ROUTES } from '../lib/http/harbor/routes.ts'
import {
  BASE_PATH,
  DEFINITIONS,
  type Operation,
  operationOf,
  type Parameter,
  type Response,
  type SwaggerSchema,
} from './harbor/swagger.ts'

type Json = Record<string, unknown>

/** Answered by every operation, besides what Harbor describes. */
const ERRORS = ['400', '401', '403', '404', '409', '412', '413', '422', '429']

/** The whole document. */
export function openApi(): string {
  const paths: Record<string, Record<string, Json>> = {}
  for (const { method, path, own } of ROUTES) {
    const operation = own
      ? ownOperation(own)
      : operationOf(method, `${BASE_PATH}${path.replaceAll(/\{(\w+)\}/g, 'x')}`)
    if (!operation) throw new Error(`${method} ${path} is no operation of Harbor’s`)
    paths[path] ??= {}
    paths[path][method.toLowerCase()] = operationJson(path, operation)
  }
  const schemas = Object.fromEntries(reached(paths).map((name) => [name, schemaJson(DEFINITIONS[name]!)]))
  return stringify(
    {
      openapi: '3.0.3',
      info: {
        title: 'Entrepôt',
        version: '2.0',
        description: 'The management API. Made by npm run docs from the routes; do not edit.',
        license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
      },
      servers: [{ url: BASE_PATH }],
      security: [{ basic: [] }, { session: [] }, {}],
      paths,
      components: {
        securitySchemes: {
          basic: { type: 'http', scheme: 'basic' },
          session: { type: 'apiKey', in: 'cookie', name: 'sid' },
        },
        schemas,
      },
    },
    { aliasDuplicateObjects: false, lineWidth: 120 },
  )
}

/** What Harbor does not have: it answers 200 without a body. */
function ownOperation(id: string): Operation {
  const responses = { '200': {} }
  return { id, tag: 'entrepot', parameters: [], produces: [], responses } as unknown as Operation
}

function operationJson(path: string, { id, tag, parameters, produces, responses }: Operation): Json {
  const body = parameters.find((each) => each.in === 'body')
  const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
  return {
    operationId: id,
    tags: [tag],
    summary: words(id),
    parameters: [
      ...named,
      ...parameters.filter((each) => ['query', 'header'].includes(each.in)).map(parameterJson),
    ],
    ...(body
      ? {
          requestBody: {
            required: true,
            content: { 'application/json': { schema: schemaJson(body.schema!) } },
          },
        }
      : {}),
    responses: {
      ...Object.fromEntries(ERRORS.map((status) => [status, refusal(status)])),
      ...Object.fromEntries(
        Object.entries(responses)
          .filter(([status]) => status.startsWith('2') || status === 'default')
          .map(([status, response]) => [status, responseJson(response, produces[0] ?? 'application/json')]),
      ),
    },
  }
}

/** `listProjectMembers` is “list project members”. */
function words(operationId: string): string {
  return operationId.replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase()
}

function parameterJson({ name, in: where, required, schema: _, description: __, ...shape }: Parameter): Json {
  return { name, in: where, required: required ?? false, schema: schemaJson(shape as SwaggerSchema) }
}

function responseJson({ headers, schema }: Response, mediaType: string): Json {
  const told = Object.keys(headers ?? {}).map((name) => [name, { schema: { type: 'string' } }] as const)
  return {
    description: 'done',
    ...(told.length > 0 ? { headers: Object.fromEntries(told) } : {}),
    ...(schema ? { content: { [mediaType]: { schema: schemaJson(schema) } } } : {}),
  }
}

function refusal(status: string): Json {
  return {
    description: `refused with ${status}`,
    content: { 'application/json': { schema: { $ref: '#/components/schemas/Errors' } } },
  }
}

const KEPT = ['type', 'format', 'enum', 'maxLength', 'minLength', 'maximum', 'minimum', 'pattern']

function schemaJson(schema: SwaggerSchema): Json {
  if (schema.$ref) return { $ref: schema.$ref.replace('#/definitions/', '#/components/schemas/') }
  const json: Json = {}
  for (const keyword of KEPT) if (schema[keyword] !== undefined) json[keyword] = schema[keyword]
  const { properties, items, additionalProperties } = schema
  if (schema['x-nullable'] === true || schema['x-isnullable'] === true) json.nullable = true
  if (items) json.items = schemaJson(items)
  if (properties) {
    json.properties = Object.fromEntries(
      Object.entries(properties).map(([name, each]) => [name, schemaJson(each)]),
    )
    const always = Object.keys(properties).filter((name) => properties[name]!['x-omitempty'] === false)
    const required = [...new Set([...(schema.required ?? []), ...always])]
    if (required.length > 0) json.required = required
  }
  if (typeof additionalProperties === 'object') json.additionalProperties = schemaJson(additionalProperties)
  return json
}

/** Names of the schemas that the paths lead to. */
function reached(paths: unknown): string[] {
  const found = new Set<string>()
  const look = (value: unknown) => {
    for (const [, name] of JSON.stringify(value).matchAll(/#\/components\/schemas\/(\w+)/g)) {
      if (found.has(name!)) continue
      found.add(name!)
      look(schemaJson(DEFINITIONS[name!]!))
    }
  }
  look(paths)
  return [...found].sort()
}
