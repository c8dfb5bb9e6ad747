// What holds for a job whoever runs it, whatever happens to them.
import { expect, test } from 'vitest'
import { beat, claim } from '../../../lib/jobs/claim.ts'
import { endTask } from '../../../lib/jobs/ends.ts'
import { executionsOf, readExecution, startExecution, stopExecution } from '../../../lib/jobs/executions.ts'
import { type JobContext, JobFailed } from '../../../lib/jobs/kinds.ts'
import { parseTaskMessage } from '../../../lib/jobs/messages.ts'
import { pauseVendor, waitingIn } from '../../../lib/jobs/queues.ts'
import { recoverTasks } from '../../../lib/jobs/recover.ts'
import { retryTask } from '../../../lib/jobs/retry.ts'
import { readTaskLog } from '../../../lib/jobs/task-log.ts'
import { jobPlace, SPEC, statusOf, tasksIn } from './place.ts'

const payloads = (count: number) => Array.from({ length: count }, (_, number) => ({ payload: { number } }))

test('every task runs once, and the execution ends with the last of them', async () => {
  const ran: unknown[] = []
  const at = await jobPlace({ REPLICATION: { run: async ({ task }) => void ran.push(task.payload.number) } })
  const begun = (await startExecution(at.runner, SPEC, payloads(3)))!
  await at.runFirst()
  expect(await statusOf(at, begun.number)).toBe('Running')
  await at.drain()
  expect(ran).toEqual([0, 1, 2])
  expect(await readExecution(at.registry, begun.number)).toMatchObject({
    status: 'Success',
    tasks: 3,
    success: 3,
    endedAtMs: at.registry.clock.now,
  })
})

test('an execution without tasks has ended with success', async () => {
  const at = await jobPlace({ REPLICATION: {} })
  expect((await startExecution(at.runner, SPEC, []))!.status).toBe('Success')
})

test('executions are listed newest first, of all rules and of one', async () => {
  const at = await jobPlace({ REPLICATION: {} })
  for (const rule of [1, 2, 1]) await startExecution(at.runner, { ...SPEC, rule }, [])
  const numbers = async (rule?: number) => {
    const found: number[] = []
    for await (const { number } of executionsOf(at.registry, 'REPLICATION', rule)) found.push(number)
    return found
  }
  expect([await numbers(), await numbers(1), await numbers(9)]).toEqual([[3, 2, 1], [3, 1], []])
})

test('a task that fails is tried again, later each time, and in the end counts as failed', async () => {
  const times: number[] = []
  const at = await jobPlace({
    REPLICATION: {
      run: async ({ registry, log }) => {
        times.push(registry.clock.nowMs() / 1000)
        log('looked')
        throw new Error('no answer')
      },
    },
  })
  const begun = (await startExecution(at.runner, SPEC, payloads(1)))!
  await at.drain()
  expect(times.map((time) => time - times[0]!)).toEqual([0, 10, 30])
  const [task] = await tasksIn(at, begun.number)
  expect(task).toMatchObject({ status: 'Error', attempts: 3, message: 'no answer' })
  expect(await statusOf(at, begun.number)).toBe('Error')
  const log = await readTaskLog(at.registry, task!.number)
  expect(log.match(/\[INFO\] looked/g)).toHaveLength(3)
  expect(log).toContain('[ERROR] no answer')
})

test('what no further attempt can help is not tried again', async () => {
  const at = await jobPlace({
    REPLICATION: { run: () => Promise.reject(new JobFailed('there is no such registry')) },
  })
  const begun = (await startExecution(at.runner, SPEC, payloads(1)))!
  await at.drain()
  expect(await tasksIn(at, begun.number)).toMatchObject([
    { status: 'Error', attempts: 1, message: 'there is no such registry' },
  ])
})

test('what a task saved is there for its next attempt', async () => {
  const states: unknown[] = []
  const at = await jobPlace({
    REPLICATION: {
      run: async ({ task, save }) => {
        states.push(task.state)
        await save({ parts: states.length })
        if (states.length < 3) throw new Error('cut off')
      },
    },
  })
  await startExecution(at.runner, SPEC, payloads(1))
  await at.drain()
  expect(states).toEqual([{}, { parts: 1 }, { parts: 2 }])
})

test('the delivery id is the same at every attempt, and another for every task', async () => {
  const ids: string[] = []
  const at = await jobPlace({
    REPLICATION: {
      run: async ({ deliveryId }) => {
        ids.push(deliveryId)
        if (ids.length === 1) throw new Error('once more')
      },
    },
  })
  await startExecution(at.runner, SPEC, payloads(2))
  await at.drain()
  expect(ids).toHaveLength(3)
  expect(new Set(ids).size).toBe(2)
})

test('an execution to which its task adds others ends after the last of them', async () => {
  const at = await jobPlace({
    REPLICATION: {
      run: async ({ task, add }) => {
        if (task.payload.number === 0) await add(payloads(5).slice(1))
      },
    },
  })
  const begun = (await startExecution(at.runner, SPEC, payloads(1)))!
  await at.runFirst()
  expect(await readExecution(at.registry, begun.number)).toMatchObject({ status: 'Running', tasks: 5 })
  await at.drain()
  expect(await readExecution(at.registry, begun.number)).toMatchObject({ status: 'Success', success: 5 })
})

test('while a worker lives, no other runs its task, whatever messages come', async () => {
  const at = await jobPlace({ REPLICATION: {} })
  await startExecution(at.runner, SPEC, payloads(1))
  const message = parseTaskMessage(at.messages[0]!.body)!
  expect((await claim(at.registry, at.runner.kinds, message)).kind).toBe('claimed')
  expect((await claim(at.registry, at.runner.kinds, message)).kind).toBe('later')
})

test('a task whose worker died runs again when its lease is over, and the dead one ends nothing', async () => {
  const at = await jobPlace({ REPLICATION: {} })
  const begun = (await startExecution(at.runner, SPEC, payloads(1)))!
  const message = parseTaskMessage(at.messages[0]!.body)!
  const dead = await claim(at.registry, at.runner.kinds, message)
  if (dead.kind !== 'claimed') throw new Error(dead.kind)
  await at.drain()
  expect(await tasksIn(at, begun.number)).toMatchObject([{ status: 'Success', attempts: 2 }])
  expect(await beat(at.registry, dead.claimed, {})).toBe('lost')
  const end = { status: 'Error' as const, message: '' }
  expect(await endTask(at.runner, dead.claimed.task, end)).toBe(false)
  expect(await readExecution(at.registry, begun.number)).toMatchObject({ success: 1, error: 0 })
})

test('a task that kills every worker ends as failed', async () => {
  const at = await jobPlace({ REPLICATION: {} })
  const begun = (await startExecution(at.runner, SPEC, payloads(1)))!
  const message = parseTaskMessage(at.messages[0]!.body)!
  for (let death = 0; death < 3; death++) {
    expect((await claim(at.registry, at.runner.kinds, message)).kind).toBe('claimed')
    at.registry.clock.now += 60_000
  }
  await at.drain()
  expect(await tasksIn(at, begun.number)).toMatchObject([{ status: 'Error', attempts: 3 }])
})

test('no more tasks of a kind, or of a target, run at once than may', async () => {
  let [running, most] = [0, 0]
  const ofTarget: Record<string, number> = {}
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const at = await jobPlace({
    REPLICATION: {
      atOnce: 3,
      atOncePerTarget: 2,
      run: async ({ task }) => {
        running += 1
        ofTarget[task.target] = (ofTarget[task.target] ?? 0) + 1
        most = Math.max(most, running)
        await released
        running -= 1
      },
    },
  })
  const specs = ['a', 'a', 'a', 'b', 'b'].map((target) => ({ payload: {}, target }))
  const begun = (await startExecution(at.runner, SPEC, specs))!
  const all = at.messages.splice(0)
  at.messages.push(...all)
  const first = Array.from({ length: 5 }, () => at.runFirst())
  await expect.poll(() => running + at.messages.length).toBe(5)
  // Two of one target and one of the other: which of them comes first is nobody's promise.
  expect([most, ...[ofTarget.a, ofTarget.b].toSorted()]).toEqual([3, 1, 2])
  release()
  await Promise.all(first)
  await at.drain()
  expect(await readExecution(at.registry, begun.number)).toMatchObject({ status: 'Success', success: 5 })
})

test('a stopped execution begins nothing more, and what runs is told so', async () => {
  let context: JobContext | undefined
  const at = await jobPlace({
    REPLICATION: {
      run: (now) => {
        context = now
        return new Promise((_, reject) => {
          now.signal.addEventListener('abort', () => reject(now.signal.reason))
        })
      },
    },
  })
  const begun = (await startExecution(at.runner, SPEC, payloads(3)))!
  const running = at.runFirst()
  await expect.poll(() => context).toBeDefined()
  expect(await stopExecution(at.runner, begun.number)).toBe(true)
  await running // its heartbeat tells it
  await at.drain()
  expect((await tasksIn(at, begun.number)).map(({ status }) => status)).toEqual(Array(3).fill('Stopped'))
  expect(await statusOf(at, begun.number)).toBe('Stopped')
  expect(await stopExecution(at.runner, begun.number)).toBe(false)
}, 20_000)

test('a paused kind waits, and its queue says so', async () => {
  const at = await jobPlace({ REPLICATION: {} })
  await startExecution(at.runner, SPEC, payloads(2))
  await pauseVendor(at.registry, 'REPLICATION', true)
  await at.runFirst()
  at.registry.clock.now += 60_000
  expect(await waitingIn(at.registry, 'REPLICATION')).toEqual({
    vendor: 'REPLICATION',
    count: 2,
    oldestSeconds: 60,
    paused: true,
  })
  await pauseVendor(at.registry, 'REPLICATION', false)
  await at.drain()
  expect(await waitingIn(at.registry, 'REPLICATION')).toMatchObject({ count: 0, paused: false })
})

test('a task whose message was lost gets another, and the lost one does nothing when it turns up', async () => {
  let runs = 0
  const at = await jobPlace({
    REPLICATION: {
      run: async () => {
        runs += 1
      },
    },
  })
  const begun = (await startExecution(at.runner, SPEC, payloads(1)))!
  const lost = at.messages.splice(0)
  expect(await recoverTasks(at.runner)).toBe(0)
  at.registry.clock.now += 600_000
  expect(await recoverTasks(at.runner)).toBe(1)
  at.messages.push(...lost)
  await at.drain()
  expect(await statusOf(at, begun.number)).toBe('Success')
  expect(runs).toBe(1)
})

test('a failed task can be tried again, and its execution with it', async () => {
  let healthy = false
  const at = await jobPlace({
    REPLICATION: {
      run: async () => {
        if (!healthy) throw new JobFailed('refused')
      },
    },
  })
  const begun = (await startExecution(at.runner, SPEC, payloads(1)))!
  await at.drain()
  const [task] = await tasksIn(at, begun.number)
  healthy = true
  expect(await retryTask(at.runner, task!)).toBe(true)
  expect(await statusOf(at, begun.number)).toBe('Running')
  await at.drain()
  expect(await readExecution(at.registry, begun.number)).toMatchObject({
    status: 'Success',
    success: 1,
    error: 0,
  })
  expect(await retryTask(at.runner, task!)).toBe(false)
})

test('what is to happen at the end of a task, and of an execution, happens once', async () => {
  const at = await jobPlace({ REPLICATION: {} })
  at.runner.ended = async (registry, { number, endedAtMs }) => [
    { kind: 'put', item: { pk: `TASK#${registry.newId()}`, sk: String(number), attributes: {} } },
    ...(endedAtMs === undefined
      ? []
      : [
          {
            kind: 'put' as const,
            item: { pk: `TEST#${registry.newId()}`, sk: String(number), attributes: {} },
          },
        ]),
  ]
  await startExecution(at.runner, SPEC, payloads(4))
  const messages = at.messages.splice(0)
  at.messages.push(...messages, ...messages)
  await at.drain()
  const items = await at.registry.metadata.scan(undefined, 100_000)
  const written = (prefix: string) => items.filter(({ pk }) => pk.startsWith(prefix))
  expect([written('TASK#').length, written('TEST#').length]).toEqual([4, 1])
})
