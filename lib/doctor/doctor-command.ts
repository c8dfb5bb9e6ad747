// entrepot doctor URL: a line per check, what breaks without it, and an exit code for scripts.
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type Diagnosis, examine } from './doctor.ts'

export const DOCTOR_USAGE = 'doctor URL [--user NAME] [--password-file FILE] [--json]'

/**
 * The password comes from a file or from ENTREPOT_PASSWORD, never from the command line, where others see it.
 * @returns 0 when all that matters passed, 1 otherwise
 * @throws Error about its arguments
 */
export async function doctor(args: string[], print: (line: string) => void): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      user: { type: 'string', default: 'admin' },
      'password-file': { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  })
  const [url] = positionals
  if (positionals.length !== 1 || !URL.canParse(url!)) throw new Error(`usage: entrepot ${DOCTOR_USAGE}`)
  const file = values['password-file']
  const password = file ? readFileSync(file, 'utf8').trim() : process.env.ENTREPOT_PASSWORD
  const login = password === undefined ? undefined : { user: values.user, password }
  const onDiagnosis = values.json ? undefined : (diagnosis: Diagnosis) => print(lineOf(diagnosis))
  const diagnoses = await examine(new URL(url!).origin, login, undefined, onDiagnosis)
  const healthy = diagnoses.every(({ passed, optional }) => passed || optional)
  if (values.json) print(JSON.stringify({ url, healthy, checks: diagnoses }, undefined, 2))
  return healthy ? 0 : 1
}

function lineOf({ id, rule, passed, found, breaks, optional }: Diagnosis): string {
  if (passed) return `ok    ${id}: ${rule} (${found})`
  return `${optional ? 'off ' : 'FAIL'}  ${id}: ${found}\n      should be: ${rule}\n      breaks: ${breaks}`
}
