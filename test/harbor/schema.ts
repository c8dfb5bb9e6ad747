// Swagger 2.0 schemas as JSON schemas, read as strictly as the programs read them that Harbor generates from the file.
//
//  - A field the schema does not name is refused: Harbor's answers are generated structs and have no others.
//  - `x-omitempty: false` makes a field required: the generator then writes it whatever its value.
//  - `x-nullable` and `x-isnullable` allow null.
//  - `type: object` with nothing said of its content is any value: that is what the generator makes of it.
import { Ajv, type ValidateFunction } from 'ajv'
import formats from 'ajv-formats'
import { DEFINITIONS, type SwaggerSchema } from './swagger.ts'

type JsonSchema = Record<string, unknown>

/** Keywords that mean the same in a JSON schema. */
const SAME = ['type', 'format', 'enum', 'maxLength', 'pattern', 'required']
/** Keywords that say nothing of which answers are valid. */
const SILENT = ['description', 'title', 'example', 'default', 'readOnly']
const HANDLED = ['$ref', 'properties', 'items', 'additionalProperties']
const EXTENSIONS = ['x-omitempty', 'x-nullable', 'x-isnullable', 'x-go-type']

const ajv = new Ajv({ strict: true, allowUnionTypes: true, allErrors: true })
;(formats as unknown as (to: Ajv) => void)(ajv)
const whole = (from: number, to: number) => (value: number) =>
  Number.isInteger(value) && value >= from && value <= to
ajv.addFormat('int', { type: 'number', validate: Number.isSafeInteger })
ajv.addFormat('int8', { type: 'number', validate: whole(-128, 127) })
ajv.addFormat('uint64', { type: 'number', validate: whole(0, 2 ** 64) })
ajv.addFormat('float64', { type: 'number', validate: Number.isFinite })
ajv.addSchema(
  {
    $id: 'harbor',
    definitions: Object.fromEntries(
      Object.entries(DEFINITIONS).map(([name, schema]) => [name, convert(schema)]),
    ),
  },
  'harbor',
)

/** @throws on a keyword whose meaning here nobody has decided */
function convert(schema: SwaggerSchema): JsonSchema {
  const unknown = Object.keys(schema).find(
    (keyword) => ![...SAME, ...SILENT, ...HANDLED, ...EXTENSIONS].includes(keyword),
  )
  if (unknown) throw new Error(`a keyword that is not converted: ${unknown}`)
  return orNull(schema, bare(schema))
}

function orNull(schema: SwaggerSchema, converted: JsonSchema): JsonSchema {
  if (schema['x-nullable'] !== true && schema['x-isnullable'] !== true) return converted
  return { anyOf: [converted, { type: 'null' }] }
}

function bare(schema: SwaggerSchema): JsonSchema {
  if (schema.$ref) return { $ref: schema.$ref.replace('#', 'harbor#') }
  const { properties, additionalProperties, items } = schema
  if (schema.type === 'object' && !properties && additionalProperties === undefined) return {}
  const result: JsonSchema = {}
  for (const keyword of SAME) if (schema[keyword] !== undefined) result[keyword] = schema[keyword]
  if (items) result.items = convert(items)
  if (properties) {
    const always = Object.keys(properties).filter((name) => properties[name]?.['x-omitempty'] === false)
    result.type = 'object'
    result.properties = Object.fromEntries(
      Object.entries(properties).map(([name, property]) => [name, convert(property)]),
    )
    result.required = [...new Set([...(schema.required ?? []), ...always])]
    result.additionalProperties = false
  }
  if (typeof additionalProperties === 'object') result.additionalProperties = convert(additionalProperties)
  else if (additionalProperties !== undefined) result.additionalProperties = additionalProperties
  return result
}

const compiled = new Map<SwaggerSchema, ValidateFunction>()

/** What is wrong with a body, a line for each thing; nothing when it is as the schema says. */
export function objections(schema: SwaggerSchema, body: unknown): string[] {
  let validate = compiled.get(schema)
  if (!validate) {
    validate = ajv.compile(convert(schema))
    compiled.set(schema, validate)
  }
  if (validate(body)) return []
  return validate.errors!.map(({ instancePath, message, params }) => {
    const detail = params.additionalProperty ?? params.allowedValues
    return `body${instancePath} ${message}${detail === undefined ? '' : `: ${JSON.stringify(detail)}`}`
  })
}
