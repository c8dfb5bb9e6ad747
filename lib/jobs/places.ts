// Limits of what runs at once over all processes: places, each held by one attempt until its lease ends.
import { keys } from '../registry/keys.ts'
import type { Item, Key, Write } from '../registry/ports.ts'
import { number, type Registry } from '../registry/registry.ts'
import type { Task } from './execution.ts'
import type { JobKind } from './kinds.ts'

export interface Limit {
  name: string
  places: number
}

/** That of its kind, and that of its target. */
export function limitsOf(kind: JobKind, task: Task): Limit[] {
  const { atOnce, atOncePerTarget } = kind
  const { vendor } = task
  return [
    { name: vendor, places: atOnce },
    ...(atOncePerTarget === undefined || task.target === ''
      ? []
      : [{ name: `${vendor}#${task.target}`, places: atOncePerTarget }]),
  ]
}

export function placesOf({ name, places }: Limit): Key[] {
  return Array.from({ length: places }, (_, place) => keys.place(name, place))
}

/** @param items of the limit's places, as read @returns the write that takes a free one; undefined when all are taken */
export function takePlace(
  registry: Registry,
  limit: Limit,
  items: (Item | undefined)[],
  epoch: string,
  untilMs: number,
): Write | undefined {
  const nowMs = registry.clock.nowMs()
  const free = placesOf(limit)
    .map((key, index) => ({ key, item: items[index] }))
    .filter(({ item }) => item === undefined || number(item, 'untilMs') < nowMs)
  // Any of them: those who look at the same time should not all want the first.
  const chosen = free[Math.floor(Math.random() * free.length)]
  return (
    chosen && {
      kind: 'put',
      if: chosen.item
        ? { kind: 'equals', attributes: { epoch: chosen.item.attributes.epoch as string } }
        : { kind: 'absent' },
      item: held(chosen.key, epoch, untilMs),
    }
  )
}

export function keepPlace(key: Key, epoch: string, untilMs: number): Write {
  return { kind: 'put', if: { kind: 'equals', attributes: { epoch } }, item: held(key, epoch, untilMs) }
}

export function leavePlace(key: Key, epoch: string): Write {
  return { kind: 'delete', key, if: { kind: 'equals', attributes: { epoch } } }
}

function held({ pk, sk }: Key, epoch: string, untilMs: number): Item {
  return { pk, sk, attributes: { v: 1, epoch, untilMs } }
}
