// Conditional writes: one item by itself where that is enough, which costs half, a transaction otherwise.
import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import {
  type CancellationReason,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb'
import type { Outcome, Write } from '../registry/ports.ts'
import { expressionOf } from './conditions.ts'
import { backOff, calling, unavailable } from './failures.ts'
import { itemOf, keyRow, type Row, rowOf } from './items.ts'

/** Tries of one transaction that met others: each waits longer, about five seconds in all. */
const ATTEMPTS = 12
/** Reasons that another try may not have. */
const PASSING = new Set([
  'TransactionConflict',
  'ThrottlingError',
  'ProvisionedThroughputExceeded',
  'TransactionInProgress',
])

export interface WriteCounters {
  /** Tries repeated because another transaction held an item, or the table was throttled. */
  repeated: number
}

export async function writeOne(client: DynamoDBClient, table: string, write: Write): Promise<Outcome> {
  if (write.kind === 'check') return writeTogether(client, table, [write], { repeated: 0 })
  const condition = { ...expressionOf(write.if), ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const }
  const send = async (): Promise<Outcome> => {
    try {
      if (write.kind === 'put')
        await client.send(new PutItemCommand({ TableName: table, Item: rowOf(write.item), ...condition }))
      else
        await client.send(new DeleteItemCommand({ TableName: table, Key: keyRow(write.key), ...condition }))
      return { ok: true }
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error
      return isOurs(write, error) ? { ok: true } : { ok: false, failed: [0] }
    }
  }
  return calling('metadata', send)
}

/**
 * A write whose answer was lost is sent again by the SDK and then fails its own condition: what it finds is what it
 * wrote. Nobody else writes the very same item, because changes carry fresh ids.
 */
function isOurs(write: Exclude<Write, { kind: 'check' }>, error: ConditionalCheckFailedException): boolean {
  if ((error.$metadata.attempts ?? 1) < 2) return false
  if (write.kind === 'delete') return error.Item === undefined
  return error.Item !== undefined && isDeepStrictEqual(plain(error.Item), plain(rowOf(write.item)))
}

function plain(row: Row) {
  const { bytes, ...item } = itemOf(row)
  return { ...item, bytes: bytes && Buffer.from(bytes).toString('base64') }
}

export async function writeTogether(
  client: DynamoDBClient,
  table: string,
  writes: Write[],
  counters: WriteCounters,
): Promise<Outcome> {
  const TransactItems = writes.map((write) => transactItem(table, write))
  // The same token for every try: one whose answer was lost is not written twice.
  const ClientRequestToken = randomUUID()
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      await calling('metadata', () =>
        client.send(new TransactWriteItemsCommand({ TransactItems, ClientRequestToken })),
      )
      return { ok: true }
    } catch (error) {
      if (!(error instanceof TransactionCanceledException)) throw error
      const failed = failedConditions(error.CancellationReasons ?? [])
      if (failed.length > 0) return { ok: false, failed }
      if (!error.CancellationReasons?.some(({ Code }) => PASSING.has(Code ?? ''))) throw error
    }
    counters.repeated += 1
    await backOff(attempt)
  }
  throw unavailable(
    'metadata',
    new Error(`a transaction of ${writes.length} writes met others ${ATTEMPTS} times`),
  )
}

function failedConditions(reasons: CancellationReason[]): number[] {
  return reasons.flatMap(({ Code }, index) => (Code === 'ConditionalCheckFailed' ? [index] : []))
}

function transactItem(table: string, write: Write): TransactWriteItem {
  const condition = expressionOf(write.if)
  if (write.kind === 'put') return { Put: { TableName: table, Item: rowOf(write.item), ...condition } }
  const target = { TableName: table, Key: keyRow(write.key) }
  if (write.kind === 'delete') return { Delete: { ...target, ...condition } }
  return { ConditionCheck: { ...target, ...condition, ConditionExpression: condition.ConditionExpression! } }
}
