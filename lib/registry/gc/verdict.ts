// What a sweep does with a candidate it looked at.

export type Verdict =
  /** Nothing more to do, or someone else will make it a candidate again. */
  | { kind: 'done' }
  /** Look again at that time. */
  | { kind: 'later'; dueAtMs: number }
  /** It changed while it was looked at: the next sweep tries again. */
  | { kind: 'again' }

export const DONE: Verdict = { kind: 'done' }
export const AGAIN: Verdict = { kind: 'again' }

export function later(dueAtMs: number): Verdict {
  return { kind: 'later', dueAtMs }
}
