// One history under one schedule: who goes on, who crashes, when time passes.
import type { Operation } from './operations.ts'
import type { Actor } from './scheduler.ts'
import type { World } from './world.ts'

const HOUR_MS = 3_600_000
const AT_ONCE = 4

/**
 * Plays the operations under one schedule.
 * @param checkEvery steps between checks; where the stores are slow not every single one
 * @returns port calls made
 */
export async function play(
  world: World,
  operations: Operation[],
  schedule: () => number,
  checkEvery = 1,
): Promise<number> {
  await world.open()
  const { scheduler, clock } = world
  const waiting = [...operations]
  let startAt = 0
  let last: Actor | undefined
  for (;;) {
    const { running } = scheduler
    const choice = schedule()
    const [next] = waiting
    const startNow =
      running.length === 0 || (running.length < AT_ONCE && scheduler.steps >= startAt && choice % 3 === 0)
    if (next?.kind === 'delay') {
      waiting.shift()
      startAt = scheduler.steps + next.steps
    } else if (next?.kind === 'wait' && (next.hours < 24 ? running.length === 0 : world.idle)) {
      waiting.shift()
      clock.nowMs += next.hours * HOUR_MS
    } else if (next && next.kind !== 'wait' && startNow) {
      await world.start(waiting.shift()!)
    } else if (running.length > 0) {
      // Mostly the same one goes on, so that actors get far ahead of each other.
      if (!last || !running.includes(last) || choice % 10 < 3) last = running[choice % running.length]!
      if (choice % 197 === 0) world.crash(last)
      else await scheduler.step(last, choice >> 8)
    } else {
      break
    }
    if (scheduler.steps % checkEvery === 0) await world.check()
  }
  await world.settle()
  return scheduler.steps
}

/** A small generator of its own, so that a failing schedule is one number. */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state >>> 4
  }
}
