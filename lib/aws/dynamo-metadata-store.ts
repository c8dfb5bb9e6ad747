// MetadataStore over one DynamoDB table.
import {
  BatchGetItemCommand,
  BatchWriteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  QueryCommand,
  type QueryCommandInput,
  ScanCommand,
  type WriteRequest,
} from '@aws-sdk/client-dynamodb'
import type { Item, Key, MetadataStore, Query, Write } from '../registry/ports.ts'
import { backOff, calling, unavailable } from './failures.ts'
import { itemOf, keyRow, type Row, rowOf } from './items.ts'
import { TABLE } from './table.ts'
import { type WriteCounters, writeOne, writeTogether } from './transactions.ts'

/** BatchWriteItem takes 25, BatchGetItem 100; what throttling left over comes back and is asked again. */
const WRITES_AT_ONCE = 25
const BATCHES_AT_ONCE = 4
const ATTEMPTS = 12
/** Sort keys have at most 1024 bytes; a longer bound than this cuts no list differently. */
const BOUND_BYTES = 1000

export interface DynamoMetadataStore extends MetadataStore {
  readonly counters: WriteCounters
}

export function createDynamoMetadataStore(client: DynamoDBClient, table: string): DynamoMetadataStore {
  const counters: WriteCounters = { repeated: 0 }

  async function readSome(keys: Key[], consistent: boolean): Promise<Map<string, Item>> {
    const found = new Map<string, Item>()
    let waiting: Row[] = keys.map(keyRow)
    for (let attempt = 0; waiting.length > 0; attempt++) {
      if (attempt === ATTEMPTS) throw unavailable('metadata', new Error('reads were throttled too long'))
      if (attempt > 0) await backOff(attempt)
      const answer = await calling('metadata', () =>
        client.send(
          new BatchGetItemCommand({
            RequestItems: { [table]: { Keys: waiting, ConsistentRead: consistent } },
          }),
        ),
      )
      for (const row of answer.Responses?.[table] ?? []) {
        const item = itemOf(row)
        found.set(nameOf(item), item)
      }
      waiting = answer.UnprocessedKeys?.[table]?.Keys ?? []
    }
    return found
  }

  async function writeBatch(requests: WriteRequest[]): Promise<void> {
    let waiting = requests
    for (let attempt = 0; waiting.length > 0; attempt++) {
      if (attempt === ATTEMPTS) throw unavailable('metadata', new Error('writes were throttled too long'))
      if (attempt > 0) {
        counters.repeated += 1
        await backOff(attempt)
      }
      const answer = await calling('metadata', () =>
        client.send(new BatchWriteItemCommand({ RequestItems: { [table]: waiting } })),
      )
      waiting = answer.UnprocessedItems?.[table] ?? []
    }
  }

  return {
    counters,

    async get(key) {
      const answer = await calling('metadata', () =>
        client.send(new GetItemCommand({ TableName: table, Key: keyRow(key), ConsistentRead: true })),
      )
      return answer.Item && itemOf(answer.Item)
    },

    async batchGet(keys, { stale = false } = {}) {
      if (keys.length === 0) return []
      const distinct = [...new Map(keys.map((key) => [nameOf(key), key])).values()]
      const found = await readSome(distinct, !stale)
      return keys.map((key) => found.get(nameOf(key)))
    },

    async query(query) {
      const items: Item[] = []
      const first = startOf(query)
      if (first === 'nothing') return items
      let start = first
      do {
        const answer = await calling('metadata', () =>
          client.send(
            new QueryCommand({
              ...queryInput(table, query),
              Limit: query.limit - items.length,
              ...(start ? { ExclusiveStartKey: start } : {}),
            }),
          ),
        )
        items.push(...(answer.Items ?? []).map(itemOf))
        start = answer.LastEvaluatedKey
      } while (start && items.length < query.limit)
      return items
    },

    async scan(after, limit) {
      const items: Item[] = []
      let start = after && keyRow(after)
      do {
        const answer = await calling('metadata', () =>
          client.send(
            new ScanCommand({
              TableName: table,
              ConsistentRead: true,
              Limit: limit - items.length,
              ...(start ? { ExclusiveStartKey: start } : {}),
            }),
          ),
        )
        items.push(...(answer.Items ?? []).map(itemOf))
        start = answer.LastEvaluatedKey
      } while (start && items.length < limit)
      return items
    },

    transact: (writes) =>
      writes.length === 1
        ? writeOne(client, table, writes[0]!)
        : writeTogether(client, table, writes, counters),

    async batchWrite(writes) {
      const batches: WriteRequest[][] = []
      for (let at = 0; at < writes.length; at += WRITES_AT_ONCE)
        batches.push(writes.slice(at, at + WRITES_AT_ONCE).map(requestOf))
      for (let at = 0; at < batches.length; at += BATCHES_AT_ONCE)
        await Promise.all(batches.slice(at, at + BATCHES_AT_ONCE).map(writeBatch))
    },
  }
}

function nameOf({ pk, sk }: Key): string {
  return `${pk}\0${sk}`
}

function requestOf(write: Write): WriteRequest {
  if (write.kind === 'put') return { PutRequest: { Item: rowOf(write.item) } }
  return { DeleteRequest: { Key: keyRow(write.key) } }
}

function queryInput(table: string, { pk, prefix = '', reverse = false }: Query): QueryCommandInput {
  return {
    TableName: table,
    ConsistentRead: true,
    KeyConditionExpression: prefix === '' ? '#pk = :pk' : '#pk = :pk AND begins_with(#sk, :prefix)',
    ExpressionAttributeNames: {
      '#pk': TABLE.partitionKey,
      ...(prefix === '' ? {} : { '#sk': TABLE.sortKey }),
    },
    ExpressionAttributeValues: { ':pk': { S: pk }, ...(prefix === '' ? {} : { ':prefix': { S: prefix } }) },
    ScanIndexForward: !reverse,
  }
}

/**
 * Where a query begins: DynamoDB takes any key of the range, whether an item has it or not, and refuses others.
 * @returns `nothing` when the whole range lies before `after`
 */
function startOf({ pk, prefix = '', after, reverse = false }: Query): Row | undefined | 'nothing' {
  if (after === undefined || (after === '' && !reverse)) return undefined
  if (after.startsWith(prefix) && after !== prefix) return keyRow({ pk, sk: cut(after) })
  const behind = Buffer.compare(Buffer.from(after), Buffer.from(prefix)) > 0
  return behind === reverse ? undefined : 'nothing'
}

function cut(bound: string): string {
  let text = bound
  while (Buffer.byteLength(text) > BOUND_BYTES) text = text.slice(0, -1)
  return text
}
