// `keys rotate`, and who must not use it.
import { expect, test } from 'vitest'
import { newSecrets, Secrets } from '../../lib/access/secret-keys.ts'
import { runOperation } from '../../lib/server/control.ts'
import type { OpenStores } from '../../lib/server/open-stores.ts'
import { testUpstreams } from '../support/upstreams.ts'
import { testRegistry } from './registry.ts'

/** @param origin what the edge sends along, where there is one */
async function rotate(origin?: string) {
  const registry = await testRegistry()
  const document = { ...(await newSecrets()), ...(origin === undefined ? {} : { origin }) }
  const done = { rotations: 0, lines: [] as string[], code: 0 }
  const stores: OpenStores = {
    registry,
    secrets: new Secrets(document, registry.clock),
    events: { onEvent: () => {} },
    rotateKeys: async () => {
      done.rotations += 1
    },
    close: async () => {},
  }
  const background = {
    sweepNow: () => Promise.reject(),
    withoutSweeps: <T>(work: () => Promise<T>) => work(),
    upstreams: await testUpstreams(),
    origin: () => '',
    withJobs: <T>(work: () => Promise<T>) => work(),
  }
  done.code = await runOperation(stores, background, 'keys rotate', [], 'admin', (line) =>
    done.lines.push(line),
  )
  return done
}

test('keys that an edge must learn are not rotated past it, and the answer says how they are', async () => {
  const { rotations, lines, code } = await rotate('secret-of-the-edge')
  expect(rotations).toBe(0)
  expect(code).not.toBe(0)
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain('invoke the setup function')
  expect(lines[0]).toContain('{"task":"rotate"}')
  expect(lines[0]).not.toContain('secret-of-the-edge')
})

test('keys of a registry without an edge are rotated', async () => {
  expect(await rotate()).toMatchObject({ rotations: 1, code: 0 })
})
