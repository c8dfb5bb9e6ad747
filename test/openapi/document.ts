// docs/openapi.yaml: what the management API takes and answers. Which operations there are is read from the routes
// themselves; their parameters and shapes are Harbor's, because that is what they are compared with in every test.
import { stringify } from 'yaml'
import { ROUTES } from '../../lib/http/harbor/routes.ts'
import {
  BASE_PATH,
  DEFINITIONS,
  type Operation,
  operationOf,
  type Parameter,
  type Response,
  type SwaggerSchema,
} from '../harbor/swagger.ts'
import { EXAMPLES } from './examples.ts'
import { PARAMETERS, REFUSALS, TAGS } from './words.ts'

type Json = Record<string, unknown>

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
  const refusals = Object.fromEntries(Object.values(REFUSALS).map((each) => [each.name, refusal(each.means)]))
  const tags = [...new Set(Object.values(paths).flatMap((each) => Object.values(each).flatMap(tagsIn)))]
  tags.sort()
  const schemas = Object.fromEntries(reached([paths, refusals]).map((name) => [name, componentJson(name)]))
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
      tags: tags.map((name) => ({ name, description: wordsOf(TAGS, name) })),
      paths,
      components: {
        securitySchemes: {
          basic: { type: 'http', scheme: 'basic' },
          session: { type: 'apiKey', in: 'cookie', name: 'sid' },
        },
        responses: refusals,
        schemas,
      },
    },
    { aliasDuplicateObjects: false, lineWidth: 120 },
  )
}

/** What Harbor does not have: it answers 200 without a body. */
function ownOperation(id: string): Operation {
  const responses = { '200': {} }
  return {
    id,
    tag: 'entrepot',
    template: '',
    parameters: [],
    produces: [],
    responses,
  } as unknown as Operation
}

function tagsIn({ tags }: Json): string[] {
  return tags as string[]
}

/** @throws where there are none yet: nothing is described by its name alone */
function wordsOf(words: Record<string, string>, name: string): string {
  const found = words[name]
  if (found === undefined) throw new Error(`test/openapi/words.ts has no words for ${name}`)
  return found
}

const NAMES = /\{(\w+)\}/g

function operationJson(path: string, operation: Operation): Json {
  const { id, tag, parameters, produces, responses } = operation
  const body = parameters.find((each) => each.in === 'body')
  // Ours are named in our own way; what they are is Harbor's, in the same order.
  const theirs = [...operation.template.matchAll(NAMES)].map(([, name]) =>
    parameters.find((each) => each.in === 'path' && each.name === name),
  )
  const named = [...path.matchAll(NAMES)].map(([, name], at) => pathParameter(name!, theirs[at]))
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
            content: { 'application/json': { schema: schemaJson(body.schema!, 'body'), ...exampleOf(id) } },
          },
        }
      : {}),
    responses: {
      ...Object.fromEntries(
        Object.entries(REFUSALS).map(([status, { name }]) => [
          status,
          { $ref: `#/components/responses/${name}` },
        ]),
      ),
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

function exampleOf(operationId: string): Json {
  const example = EXAMPLES[operationId]
  if (example === undefined) throw new Error(`test/openapi/examples.ts has no body for ${operationId}`)
  return { example }
}

function pathParameter(name: string, theirs: Parameter | undefined): Json {
  const { required: _, ...shape } = theirs ?? { type: 'string' }
  return { ...parameterJson({ ...shape, name, in: 'path' }), required: true }
}

function parameterJson({ name, in: where, required, schema: _, description: __, ...shape }: Parameter): Json {
  return {
    name,
    in: where,
    description: wordsOf(PARAMETERS, `${where} ${name}`),
    required: required ?? false,
    schema: schemaJson(shape as SwaggerSchema),
  }
}

function responseJson({ headers, schema }: Response, mediaType: string): Json {
  const told = Object.keys(headers ?? {}).map((name) => [name, { schema: { type: 'string' } }] as const)
  return {
    description: 'done',
    ...(told.length > 0 ? { headers: Object.fromEntries(told) } : {}),
    ...(schema ? { content: contentJson(schema, mediaType) } : {}),
  }
}

/** Harbor's file has `string` for reports and for files out of an artifact: they come as they are, each of its own type. */
function contentJson(schema: SwaggerSchema, mediaType: string): Json {
  if (schema.type === 'string' && mediaType === 'application/json') return { '*/*': { schema: {} } }
  return { [mediaType]: { schema: schemaJson(schema) } }
}

function refusal(description: string): Json {
  return {
    description,
    content: { 'application/json': { schema: { $ref: '#/components/schemas/Errors' } } },
  }
}

const KEPT = ['type', 'format', 'enum', 'maxLength', 'minLength', 'maximum', 'minimum', 'pattern']

/** Answers always have what is marked so; nobody has to send it. */
type Side = 'answer' | 'body'

function schemaJson(schema: SwaggerSchema, side: Side = 'answer'): Json {
  if (schema.$ref)
    return { $ref: `#/components/schemas/${componentOf(schema.$ref.split('/').at(-1)!, side)}` }
  if (schema.type === 'file') return { type: 'string', format: 'binary' }
  // Harbor's file writes `type: object` for whatever JSON there may be, texts and numbers too.
  if (isAnything(schema)) return {}
  const json: Json = {}
  for (const keyword of KEPT) if (schema[keyword] !== undefined) json[keyword] = schema[keyword]
  const { properties, items, additionalProperties } = schema
  if (schema['x-nullable'] === true || schema['x-isnullable'] === true) json.nullable = true
  if (items) json.items = schemaJson(items, side)
  if (properties) {
    json.properties = Object.fromEntries(
      Object.entries(properties).map(([name, each]) => [name, schemaJson(each, side)]),
    )
    const required = [...new Set([...(schema.required ?? []), ...(side === 'answer' ? always(schema) : [])])]
    if (required.length > 0) json.required = required
  }
  if (typeof additionalProperties === 'object')
    json.additionalProperties = schemaJson(additionalProperties, side)
  return json
}

function isAnything({ type, properties, additionalProperties }: SwaggerSchema): boolean {
  return type === 'object' && !properties && typeof additionalProperties !== 'object'
}

function always({ properties = {} }: SwaggerSchema): string[] {
  return Object.keys(properties).filter((name) => properties[name]!['x-omitempty'] === false)
}

const BODY = 'Body'

/** A schema that is not the same on both sides is there twice. */
function componentOf(name: string, side: Side): string {
  return side === 'body' && isTwofold(name, new Set()) ? `${name}${BODY}` : name
}

function isTwofold(name: string, seen: Set<string>): boolean {
  if (seen.has(name)) return false
  seen.add(name)
  const look = (schema: SwaggerSchema): boolean => {
    if (schema.$ref) return isTwofold(schema.$ref.split('/').at(-1)!, seen)
    const { properties = {}, items, additionalProperties } = schema
    const inner = [...Object.values(properties), items, additionalProperties]
    return always(schema).length > 0 || inner.some((each) => typeof each === 'object' && look(each))
  }
  return look(DEFINITIONS[name]!)
}

function componentJson(component: string): Json {
  const definition = DEFINITIONS[component]
  if (definition) return schemaJson(definition)
  return schemaJson(DEFINITIONS[component.slice(0, -BODY.length)]!, 'body')
}

/** Names of the schemas that the paths lead to. */
function reached(paths: unknown): string[] {
  const found = new Set<string>()
  const look = (value: unknown) => {
    for (const [, name] of JSON.stringify(value).matchAll(/#\/components\/schemas\/(\w+)/g)) {
      if (found.has(name!)) continue
      found.add(name!)
      look(componentJson(name!))
    }
  }
  look(paths)
  return [...found].sort()
}
