// Items of the port as DynamoDB items: attributes are a map, so that a key of theirs never meets one of ours.
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb'
import type { Attributes, Item, Key } from '../registry/ports.ts'
import { TABLE } from './table.ts'

export type Row = Record<string, AttributeValue>

export const ATTRIBUTES = 'a'
const BYTES = 'b'

export function keyRow({ pk, sk }: Key): Row {
  return { [TABLE.partitionKey]: { S: pk }, [TABLE.sortKey]: { S: sk } }
}

export function rowOf(item: Item): Row {
  const row: Row = { ...keyRow(item), [ATTRIBUTES]: { M: marshall(item.attributes) } }
  if (item.bytes) row[BYTES] = { B: item.bytes }
  if (item.expiresAtEpochSeconds !== undefined)
    row[TABLE.expiry] = { N: String(Math.floor(item.expiresAtEpochSeconds)) }
  return row
}

export function itemOf(row: Row): Item {
  const item: Item = {
    pk: row[TABLE.partitionKey]!.S!,
    sk: row[TABLE.sortKey]!.S!,
    attributes: unmarshall(row[ATTRIBUTES]?.M ?? {}) as Attributes,
  }
  const bytes = row[BYTES]?.B
  const expiry = row[TABLE.expiry]?.N
  if (bytes) item.bytes = bytes
  if (expiry !== undefined) item.expiresAtEpochSeconds = Number(expiry)
  return item
}
