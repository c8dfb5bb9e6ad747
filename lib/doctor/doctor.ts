// The doctor: looks at a registry as its clients do and says what they will suffer from. Runs at the deployment, to
// decide what may be switched on, and any time from `entrepot doctor URL`.
import { CHECKS, type Check } from './checks.ts'
import { askerOf, type Login, logIn } from './client.ts'

export interface Diagnosis {
  id: string
  rule: string
  passed: boolean
  /** What was seen, or what was wrong. */
  found: string
  breaks: string
  /** The registry does well without it. */
  optional: boolean
}

const REPOSITORY = 'library/entrepot-doctor'

/** @param only ids of checks; all when absent */
export async function examine(
  url: string,
  login: Login | undefined,
  only?: string[],
  onDiagnosis: (diagnosis: Diagnosis) => void = () => {},
): Promise<Diagnosis[]> {
  let token: string | undefined
  const ask = askerOf(url, () => token)
  const context = { ask, url, name: REPOSITORY }
  const diagnoses: Diagnosis[] = []
  const wanted = CHECKS.filter(({ id }) => only === undefined || only.includes(id))
  try {
    const challenge = (await ask('GET', '/v2/', { anonymous: true })).headers.get('www-authenticate')
    if (challenge) token = await logIn(url, challenge, login, REPOSITORY)
  } catch (error) {
    // The checks that need a login say so themselves.
    diagnoses.push(diagnosisOf(UNREACHABLE, false, (error as Error).message))
  }
  for (const check of wanted) {
    const diagnosis = await one(check, context)
    diagnoses.push(diagnosis)
    onDiagnosis(diagnosis)
  }
  return diagnoses
}

const UNREACHABLE: Omit<Check, 'run'> = {
  id: 'reachable',
  rule: 'the registry answers, and gives out a token',
  breaks: 'everything',
}

async function one(check: Check, context: Parameters<Check['run']>[0]): Promise<Diagnosis> {
  try {
    return diagnosisOf(check, true, await check.run(context))
  } catch (error) {
    return diagnosisOf(check, false, (error as Error).message)
  }
}

function diagnosisOf(check: Omit<Check, 'run'>, passed: boolean, found: string): Diagnosis {
  const { id, rule, breaks, optional = false } = check
  return { id, rule, passed, found, breaks, optional }
}
