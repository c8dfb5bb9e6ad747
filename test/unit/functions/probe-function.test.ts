// The deployment's probe: what is switched on while it looks, and what it leaves behind.
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Diagnosis } from '../../../lib/doctor/doctor.ts'
import { type ProbeSettings, runProbe } from '../../../lib/functions/probe-function.ts'

const SETTINGS: ProbeSettings = {
  url: 'https://registry.example',
  adminPassword: 'arn:password',
  keyValueStore: 'arn:keys',
  directUploads: 'on',
}

/** More than the probe has: what fails is looked at twice. */
const PATIENCE_MS = 300_000

/** The edge's entry as it was set, in order, and what it was whenever somebody looked. */
const world = vi.hoisted(() => ({ entry: 'off', set: [] as string[], seen: [] as string[], broken: '' }))

vi.mock('../../../lib/aws/secrets-manager.ts', () => ({ readSecretText: async () => 'Harbour-12345' }))
vi.mock('../../../lib/functions/edge-keys.ts', () => ({
  edgeKeys: () => ({
    direct: async () => world.entry,
    setDirect: async (value: string) => {
      world.entry = value
      world.set.push(value)
    },
  }),
}))
vi.mock('../../../lib/doctor/doctor.ts', async (original) => ({
  ...(await original<object>()),
  examine: async (_url: string, _login: unknown, only: string[] = ['direct-whole-blob', 'login']) => {
    world.seen.push(world.entry)
    setImmediate(() => vi.advanceTimersByTime(PATIENCE_MS))
    return only.map((id): Diagnosis => {
      const passed = world.broken !== id
      return { id, passed, rule: '', breaks: '', found: passed ? 'fine' : 'odd', optional: id !== 'login' }
    })
  },
}))

beforeEach(() => {
  Object.assign(world, { entry: 'off', set: [], seen: [], broken: '' })
  vi.spyOn(console, 'log').mockImplementation(() => {})
  vi.useFakeTimers({ toFake: ['setTimeout', 'Date'] })
})
afterEach(() => void vi.useRealTimers())

/** As CloudFormation calls it. @returns the answer it gets */
async function deployed(settings: ProbeSettings = SETTINGS): Promise<Record<string, unknown>> {
  let answer = ''
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      answer = body
      response.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const event = {
    RequestType: 'Create',
    ResponseURL: `http://127.0.0.1:${port}/`,
    LogicalResourceId: 'Probed',
    ResourceProperties: {},
  }
  await runProbe(event, settings)
  server.closeAllConnections()
  server.close()
  return JSON.parse(answer)
}

test('while the probe looks at direct uploads, they are on for the doctor’s repository alone', async () => {
  expect(await deployed()).toMatchObject({ Status: 'SUCCESS', Data: { Direct: 'on', Failed: 'nothing' } })
  expect(world.set).toEqual(['library/entrepot-doctor', 'on'])
  expect(world.seen).toEqual(['library/entrepot-doctor', 'on'])
})

test.each(['direct-whole-blob', 'direct-wrong-digest', 'no-smuggling'])(
  'direct uploads that fail %s are left off',
  async (broken) => {
    world.broken = broken
    expect(await deployed()).toMatchObject({ Data: { Direct: 'off', Failed: 'nothing' } })
    expect(world.set).toEqual(['library/entrepot-doctor', 'off'])
  },
)

test('with directUploads: off nothing is switched on, not for a moment', async () => {
  expect(await deployed({ ...SETTINGS, directUploads: 'off' })).toMatchObject({ Data: { Direct: 'off' } })
  expect(world.set).toEqual(['off'])
})

test('a check that fails is told, and fails no deployment', async () => {
  world.broken = 'login'
  expect(await deployed()).toMatchObject({
    Status: 'SUCCESS',
    Data: { Direct: 'on', Failed: 'login: odd' },
  })
})

test('asked by hand, the probe answers what it tells a deployment', async () => {
  world.broken = 'login'
  expect(await runProbe({ task: 'probe' }, SETTINGS)).toEqual((await deployed()).Data)
  expect(world.set).toEqual(['library/entrepot-doctor', 'on', 'on'])
})

test('what an earlier probe switched on stays on for everybody while it looks again', async () => {
  world.entry = 'on'
  await deployed()
  expect(world.seen).toEqual(['on', 'on'])
  world.broken = 'direct-wrong-digest'
  expect(await deployed()).toMatchObject({ Data: { Direct: 'off' } })
})

test('an event that is neither is refused', async () => {
  for (const event of [{}, null, { task: 'other' }])
    await expect(runProbe(event, SETTINGS)).rejects.toThrow('{"task":"probe"}')
  expect(world.set).toEqual([])
})
