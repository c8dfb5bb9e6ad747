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

/** What it pushes goes nowhere else, so that something may be switched on for it alone. */
export const DOCTOR_REPOSITORY = 'library/entrepot-doctor'

/** @param only ids of checks; all when absent */
export async function examine(
  url: string,
  login: Login | undefined,
  only?: string[],
  onDiagnosis: (diagnosis: Diagnosis) => void = () => {},
): Promise<Diagnosis[]> {
  let token: string | undefined
  let reached = false
  const ask = askerOf(url, () => token)
  const context = { ask, url, name: DOCTOR_REPOSITORY, pushed: new Set<string>() }
  const diagnoses: Diagnosis[] = []
  try {
    const first = await ask('GET', '/v2/', { anonymous: true })
    reached = true
    const challenge = first.headers.get('www-authenticate')
    if (challenge) token = await logIn(url, challenge, login, DOCTOR_REPOSITORY)
  } catch (error) {
    // The checks that need a login say so themselves.
    diagnoses.push(diagnosisOf(UNREACHABLE, false, reasonOf(error)))
    onDiagnosis(diagnoses[0]!)
    if (!reached) return diagnoses
  }
  const wanted = CHECKS.filter(({ id }) => only === undefined || only.includes(id))
  for (const check of wanted) {
    const diagnosis = await one(check, context)
    diagnoses.push(diagnosis)
    onDiagnosis(diagnosis)
  }
  // Blobs that no manifest uses go by themselves.
  for (const digest of context.pushed)
    await ask('DELETE', `/v2/${DOCTOR_REPOSITORY}/manifests/${digest}`).catch(() => {})
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
    return diagnosisOf(check, false, reasonOf(error))
  }
}

/** The reason of a failed request is its cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error ? `${message}: ${cause.message}` : message
}

function diagnosisOf(check: Omit<Check, 'run'>, passed: boolean, found: string): Diagnosis {
  const { id, rule, breaks, optional = false } = check
  return { id, rule, passed, found, breaks, optional }
}
