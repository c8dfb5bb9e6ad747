// The table as data: the CDK app, the tests and `entrepot` create the same one.
import type { CreateTableCommandInput } from '@aws-sdk/client-dynamodb'

export const TABLE = {
  partitionKey: 'pk',
  sortKey: 'sk',
  /** Epoch seconds; DynamoDB deletes an item within days after. */
  expiry: 'ttl',
  /** The relay reads whole new items: outbox events are items. */
  stream: 'NEW_IMAGE',
} as const

export function createTableInput(name: string): CreateTableCommandInput {
  return {
    TableName: name,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      { AttributeName: TABLE.partitionKey, AttributeType: 'S' },
      { AttributeName: TABLE.sortKey, AttributeType: 'S' },
    ],
    KeySchema: [
      { AttributeName: TABLE.partitionKey, KeyType: 'HASH' },
      { AttributeName: TABLE.sortKey, KeyType: 'RANGE' },
    ],
    StreamSpecification: { StreamEnabled: true, StreamViewType: TABLE.stream },
  }
}
