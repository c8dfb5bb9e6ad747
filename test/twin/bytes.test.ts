// The promise: bytes of a push go to S3 and nowhere else where the client allows it, and once through us where not.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openWorkplace, type Workplace } from '../clients/workplace.ts'
import { measure, PUSHERS } from './bytes.ts'
import { sharedTwin } from './shared.ts'
import type { Twin } from './twin.ts'

let twin: Twin
let at: Workplace
beforeAll(async () => {
  twin = await sharedTwin()
  at = await openWorkplace()
}, 240_000)
afterAll(() => at.close())

const LAYER_BYTES = 64 * 2 ** 20
/** Tokens, items, events: what a push costs besides its bytes. */
const SLACK = 0.05

for (const pusher of PUSHERS)
  test(`every byte ${pusher.client} sends is stored, and ${pusher.family === 'PUT' ? 'none' : 'each once'} goes through our programs`, async () => {
    const image = await at.image(pusher.client, { layers: 2, layerBytes: LAYER_BYTES, compression: 'none' })
    const pushed = await measure(twin, at, pusher, image)
    expect(pushed.sent / pushed.image).toBeCloseTo(1, 2)
    expect(pushed.stored / pushed.image).toBeCloseTo(1, 2)
    expect(pushed.functions / pushed.image).toBeLessThan(SLACK)
    const through = pushed.ingest / pushed.image
    if (pusher.family === 'PUT') expect(through).toBeLessThan(SLACK)
    else expect(Math.abs(through - 1)).toBeLessThan(SLACK)
  }, 120_000)
