// Six-field cron: seconds, minutes, hours, day of month, month, day of week; times are UTC.
import { Cron } from 'croner'
import { RegistryError } from '../oci/errors.ts'

const CHARACTERS = 200
/** Harbor refuses schedules within the minute too. */
const RULE = 'six fields: seconds (0), minutes, hours, day of month, month, day of week'
/** The last value of each field. */
const LAST = [59, 59, 23, 31, 12, 6]
const STEPPED = /(?<![\w-])(\w+)\/(\d+)/g

/** @returns the expression in one spelling @throws REQUEST_INVALID */
export function parseCron(text: string): string {
  const fields = text.trim().split(/\s+/)
  if (text.length > CHARACTERS || fields.length !== 6)
    throw invalid(`${JSON.stringify(text.slice(0, CHARACTERS))} is no schedule: it takes ${RULE}`)
  if (fields[0] !== '0')
    throw invalid('the 1st field (indicating Seconds of time) of the cron setting must be 0')
  const cron = fields.join(' ')
  try {
    if (!next(cron, Date.now())) throw invalid(`the schedule ${cron} never comes`)
  } catch (error) {
    if (error instanceof RegistryError) throw error
    throw invalid(`${cron} is no schedule (${(error as Error).message}): it takes ${RULE}`)
  }
  return cron
}

/** @returns the first time after `afterMs`; undefined when there is none */
export function nextTime(cron: string, afterMs: number): number | undefined {
  return next(cron, afterMs)
}

function next(cron: string, afterMs: number): number | undefined {
  return new Cron(steppedByRange(cron), { timezone: 'UTC' }).nextRun(new Date(afterMs))?.getTime()
}

/** `5/15` means from 5 on in Harbor's cron, as its Terraform provider's own tests write it; croner takes ranges only. */
function steppedByRange(cron: string): string {
  const fields = cron.split(' ')
  return fields.map((field, at) => field.replaceAll(STEPPED, `$1-${LAST[at]}/$2`)).join(' ')
}

function invalid(why: string): RegistryError {
  return new RegistryError('REQUEST_INVALID', why)
}
