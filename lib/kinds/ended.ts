// What is told of when a task begins and ends; in a file of its own, because every program that begins or ends jobs tells of it.
import type { Jobs } from '../jobs/executions.ts'
import { replicationBegan, replicationEnded } from '../replication/ended.ts'
import { scanEnded } from '../scanning/ended.ts'

export const taskBegan: NonNullable<Jobs['began']> = replicationBegan

export const taskEnded: NonNullable<Jobs['ended']> = async (registry, execution, task) => [
  ...(await replicationEnded(registry, execution, task)),
  ...(await scanEnded(registry, execution, task)),
]
