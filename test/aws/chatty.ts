// Sabotage: a process that asks DynamoDB everything twice.
import { BatchGetItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb'

const send = DynamoDBClient.prototype.send as (this: DynamoDBClient, ...args: unknown[]) => Promise<unknown>

DynamoDBClient.prototype.send = async function (this: DynamoDBClient, ...args: unknown[]) {
  if (args[0] instanceof BatchGetItemCommand) await send.apply(this, args)
  return send.apply(this, args)
} as typeof DynamoDBClient.prototype.send
