// Schedules as Harbor's system jobs take them: `{schedule: {type, cron}, parameters}`.
import { parseCron } from '../../jobs/cron.ts'
import { RegistryError } from '../../oci/errors.ts'
import { type Fields, objectIn, textIn } from './body.ts'

export interface GivenSchedule {
  /** `Manual` runs it now, `None` ends the schedule. */
  type: string
  cron: string
  parameters: Fields
}

const TYPES = ['Hourly', 'Daily', 'Weekly', 'Custom', 'Manual', 'None', 'Schedule']
/** Of those that have one of their own. */
const CRONS: Record<string, string> = { Hourly: '0 0 * * * *', Daily: '0 0 0 * * *', Weekly: '0 0 0 * * 0' }

/** @throws REQUEST_INVALID */
export function scheduleIn(fields: Fields): GivenSchedule {
  const schedule = objectIn(fields, 'schedule')
  const type = textIn(schedule, 'type')
  if (!TYPES.includes(type))
    throw new RegistryError('REQUEST_INVALID', `schedule.type is one of ${TYPES.join(', ')}`)
  const parameters = objectIn(fields, 'parameters')
  if (type === 'Manual' || type === 'None') return { type, cron: '', parameters }
  return { type, cron: parseCron(textIn(schedule, 'cron') || (CRONS[type] ?? '')), parameters }
}
