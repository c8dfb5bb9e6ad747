// What each principal asked for and got, as the recorder notes it.
import type { Recorder } from './recorder.ts'

interface Resource {
  type: string
  name: string
  actions: string[]
}

export function accessRecords(recorder: Recorder) {
  return (principal: string, asked: Resource[], granted: Resource[]): void => {
    for (const { type, name, actions } of asked) {
      const got = granted.find((each) => each.type === type && each.name === name)?.actions ?? []
      for (const action of actions)
        recorder.access(principal, `${type}:${name}:${action}`, got.includes(action))
    }
  }
}
