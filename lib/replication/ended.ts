// The end of a replication is an event: in a file of its own, because every program that begins jobs tells of it.
import type { Execution } from '../jobs/execution.ts'
import { systemEventWrite } from '../registry/outbox.ts'
import type { Write } from '../registry/ports.ts'
import type { Registry } from '../registry/registry.ts'

/** Written with the end of an execution, so that it is told of once; other kinds' ends are no events. */
export function replicationEnded(registry: Registry, execution: Execution): Write[] {
  const { vendor, number, rule, trigger, status, tasks, success, error, stopped } = execution
  if (vendor !== 'REPLICATION') return []
  const facts = { execution: number, rule, trigger, status, tasks, success, error, stopped }
  return [systemEventWrite(registry, 'replication.ended', facts)]
}
