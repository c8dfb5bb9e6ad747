// Deliveries: once for each target whatever dies, repeated until they arrive, and safe from what a receiver does.
import { createHmac } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { deletePolicy } from '../../lib/events/webhook-policies.ts'
import type { Task } from '../../lib/jobs/execution.ts'
import { retryTask } from '../../lib/jobs/retry.ts'
import { readTaskLog } from '../../lib/jobs/task-log.ts'
import { tasksIn } from '../domain/jobs/place.ts'
import { before } from '../domain/meddling.ts'
import { itemsOf, pushImage } from '../domain/registry.ts'
import { AUTH, type EventPlace, eventPlace, NAME, SECRET } from './place.ts'
import { type Receiver, startReceiver } from './receiver.ts'

let at: EventPlace
let other: Receiver
beforeEach(async () => {
  at = await eventPlace()
  other = await startReceiver()
})
afterEach(async () => {
  await at.receiver.close()
  await other.close()
})

async function push(place = at): Promise<void> {
  await pushImage(place.registry, NAME, 'v1')
}

/** The only delivery of the policy. */
async function only(policy: Awaited<ReturnType<EventPlace['policy']>>, place = at): Promise<Task> {
  const executions = await place.executions(policy)
  expect(executions).toHaveLength(1)
  const tasks = await tasksIn(place, executions[0]!.number)
  expect(tasks).toHaveLength(1)
  return tasks[0]!
}

test('each target of each policy gets an event once, under a delivery id of its own', async () => {
  const two = await at.policy({ targets: [{}, { type: 'slack', address: `${other.url}/slack` }] })
  await at.policy()
  await push()
  await at.settle()
  expect(Object.values(at.receiver.deliveries())).toEqual([1, 1])
  expect(Object.values(other.deliveries())).toEqual([1])
  expect((await at.executions(two)).map(({ vendor, status }) => [vendor, status])).toEqual([
    ['WEBHOOK', 'Success'],
    ['SLACK', 'Success'],
  ])
  expect(at.receiver.received[0]!.headers).toMatchObject({
    'x-entrepot-event': 'PUSH_ARTIFACT',
    'x-entrepot-delivery': expect.stringMatching(/^[0-9a-f]{24}$/),
  })
})

test('whenever the relay dies, the event is delivered once all the same', async () => {
  await at.policy({ targets: [{}, {}] })
  const die = () => {
    throw new Error('the power went')
  }
  let turn = 0
  for (let failures = 1; failures > 0; turn++) {
    await pushImage(at.registry, NAME, `v${turn}`, { layer: `layer ${turn}` })
    failures = (await at.relay(before(at.registry, 'transact', die, turn))).length
    await at.settle()
  }
  // Each of its transactions was the last one once.
  expect(turn).toBeGreaterThan(4)
  expect(Object.values(at.receiver.deliveries())).toEqual(Array(2 * turn).fill(1))
})

test('two relays at once hand an event on once', async () => {
  await at.policy()
  await push()
  await Promise.all([at.relay(), at.relay(), at.relay()])
  await at.settle()
  expect(Object.values(at.receiver.deliveries())).toEqual([1])
})

test('a receiver that answers 500 is asked again under the same id, until it takes it', async () => {
  const policy = await at.policy()
  let storm = 3
  at.receiver.answer = (response) => response.writeHead(storm-- > 0 ? 500 : 200).end('no room')
  await push()
  await at.settle()
  expect(Object.values(at.receiver.deliveries())).toEqual([4])
  expect(await only(policy)).toMatchObject({ status: 'Success', attempts: 4, extra: { status_code: 200 } })
})

test('a receiver that only answers 500 is given up, and what failed can be sent again', async () => {
  const policy = await at.policy()
  at.receiver.answer = (response) => response.writeHead(500).end('<html>no room</html>')
  await push()
  await at.settle()
  const failed = await only(policy)
  expect(failed).toMatchObject({
    status: 'Error',
    attempts: 6,
    message: expect.stringMatching(/answered 500$/),
  })
  at.receiver.answer = (response) => response.writeHead(200).end()
  expect(await retryTask(at.runner, failed)).toBe(true)
  await at.drain()
  expect(await only(policy)).toMatchObject({ status: 'Success' })
  expect(Object.values(at.receiver.deliveries())).toEqual([7])
})

test('the body is signed as GitHub signs its own, and the secret is nowhere to be read', async () => {
  const policy = await at.policy({ targets: [{ authHeader: AUTH }] }, { secret: SECRET })
  at.receiver.answer = (response) => response.writeHead(200).end('thanks')
  await push()
  await at.settle()
  const { headers, body } = at.receiver.received[0]!
  expect(headers.authorization).toBe(AUTH)
  expect(headers['x-entrepot-signature']).toBe(
    `sha256=${createHmac('sha256', Buffer.from(SECRET)).update(body).digest('hex')}`,
  )
  const kept = JSON.stringify(await itemsOf(at.registry, ''))
  expect(kept).toContain('PUSH_ARTIFACT')
  for (const secret of [SECRET, AUTH]) expect(kept).not.toContain(secret)
  const log = await readTaskLog(at.registry, (await only(policy)).number)
  expect(log).toMatch(/POST http:\/\/127\.0\.0\.1:\d+\/hook\n/)
  expect(log).toMatch(/authorization: \*{5}\n/)
  expect(log).toMatch(/answered 200: thanks\n/)
})

test('of an endless answer only the beginning is read', async () => {
  const policy = await at.policy()
  const closed = new Promise<void>((resolve) => {
    at.receiver.answer = (response) => {
      response.writeHead(200)
      const more = () => {
        if (!response.destroyed) response.write('more and '.repeat(100), () => setImmediate(more))
      }
      response.on('close', resolve)
      more()
    }
  })
  await push()
  await at.settle()
  await closed
  const task = await only(policy)
  expect(task.status).toBe('Success')
  expect((await readTaskLog(at.registry, task.number)).length).toBeLessThan(4000)
})

test('a receiver that never answers is not waited for', { timeout: 20_000 }, async () => {
  await at.receiver.close()
  at = await eventPlace(undefined, 1)
  const policy = await at.policy()
  at.receiver.answer = () => {}
  await push()
  await at.settle()
  expect(await only(policy)).toMatchObject({
    status: 'Error',
    message: expect.stringMatching(/gave no answer for 3 s/),
  })
})

test('a redirect is followed neither to a metadata service nor anywhere else', async () => {
  const policy = await at.policy({ targets: [{}, { address: `${at.receiver.url}/inside` }] })
  at.receiver.answer = (response, { path }) => {
    const location = path === '/inside' ? 'http://169.254.169.254/latest/meta-data/' : other.url
    response.writeHead(307, { location }).end()
  }
  await push()
  await at.settle()
  for (const { number } of await at.executions(policy)) {
    const [task] = await tasksIn(at, number)
    expect(task).toMatchObject({
      status: 'Error',
      attempts: 6,
      message: expect.stringMatching(/answered 307: redirects are not followed/),
    })
  }
  expect(other.received).toEqual([])
})

test.each(['http://127.0.0.1', 'http://localhost', 'http://[::ffff:127.0.0.1]', 'http://2130706433'])(
  'a target inside (%s) is refused at once, and hears nothing',
  async (origin) => {
    await at.receiver.close()
    at = await eventPlace([])
    const policy = await at.policy({ targets: [{ address: `${origin}:${new URL(other.url).port}/` }] })
    await push()
    await at.settle()
    expect(await only(policy)).toMatchObject({
      status: 'Error',
      attempts: 1,
      message: expect.stringMatching(/is a private address/),
    })
    expect(other.received).toEqual([])
  },
)

test('what waits for a policy that is deleted is not delivered', async () => {
  const policy = await at.policy()
  await push()
  await at.relay()
  await deletePolicy(at.registry, await at.project(), policy.number)
  await at.drain()
  expect(await only(policy)).toMatchObject({
    status: 'Error',
    attempts: 1,
    message: expect.stringMatching(/was deleted/),
  })
  expect(at.receiver.received).toEqual([])
})
