// What a look at one thing found.

export interface Finding {
  check: string
  /** warn: the deployment goes through, but somebody should know; skip: could not be looked at. */
  status: 'ok' | 'warn' | 'fail' | 'skip'
  found: string
  /** What to do about it. */
  todo?: string
}

/** AWS's names for being refused; whoever deploys may be allowed what whoever looks is not. */
const DENIALS = ['AccessDenied', 'AccessDeniedException', 'UnauthorizedOperation']

/** A look that ended in an error. */
export function failed(check: string, error: unknown, todo: string): Finding {
  const { name, message } = error as Error
  const found = message.split('\n')[0]!
  if (DENIALS.includes(name))
    return { check, status: 'warn', found: `could not look: ${found}`, todo: 'allow it, or look yourself' }
  return { check, status: 'fail', found, todo }
}

/** A line for people. */
export function lineOf({ check, status, found, todo }: Finding): string {
  const sign = { ok: 'ok   ', warn: 'WARN ', fail: 'FAIL ', skip: 'skip ' }[status]
  return `${sign} ${check}: ${found}${todo === undefined ? '' : ` -> ${todo}`}`
}
