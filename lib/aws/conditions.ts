// Conditions of the port as DynamoDB expressions.
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { marshall } from '@aws-sdk/util-dynamodb'
import type { Condition } from '../registry/ports.ts'
import { ATTRIBUTES } from './items.ts'
import { TABLE } from './table.ts'

export interface ConditionExpression {
  ConditionExpression?: string
  ExpressionAttributeNames?: Record<string, string>
  ExpressionAttributeValues?: Record<string, AttributeValue>
}

export function expressionOf(condition: Condition | undefined): ConditionExpression {
  if (!condition) return {}
  const names: Record<string, string> = { '#pk': TABLE.partitionKey }
  // Whoever creates must be the first; whoever changes must have seen what is there.
  if (condition.kind === 'absent')
    return { ConditionExpression: 'attribute_not_exists(#pk)', ExpressionAttributeNames: names }
  if (condition.kind === 'present')
    return { ConditionExpression: 'attribute_exists(#pk)', ExpressionAttributeNames: names }
  const wanted = Object.entries(condition.attributes)
  const values = marshall(Object.fromEntries(wanted.map(([, value], index) => [`:v${index}`, value])))
  return {
    ConditionExpression: wanted.map((_, index) => `#a.#n${index} = :v${index}`).join(' AND '),
    ExpressionAttributeNames: {
      '#a': ATTRIBUTES,
      ...Object.fromEntries(wanted.map(([name], index) => [`#n${index}`, name])),
    },
    ExpressionAttributeValues: values,
  }
}
