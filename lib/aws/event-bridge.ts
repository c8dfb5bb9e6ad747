// EventBridge as the bus.
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge'
import { BUS_SOURCE, type EventBus } from '../events/bus.ts'

/** @param bus its name or ARN */
export function eventBridge(bus: string, client = new EventBridgeClient({})): EventBus {
  return {
    async publish({ detailType, atMs, detail }) {
      const { FailedEntryCount, Entries } = await client.send(
        new PutEventsCommand({
          Entries: [
            {
              EventBusName: bus,
              Source: BUS_SOURCE,
              DetailType: detailType,
              Time: new Date(atMs),
              Detail: JSON.stringify(detail),
            },
          ],
        }),
      )
      const [entry] = Entries ?? []
      if (FailedEntryCount)
        throw new Error(`EventBridge did not take the event: ${entry?.ErrorCode}: ${entry?.ErrorMessage}`)
    },
  }
}
