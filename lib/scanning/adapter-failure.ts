// Why a scanner elsewhere failed, for people: which one it was, and never a secret, although scanners repeat what they were
// sent.
import type { ScannerAddress } from './registration.ts'
import { ScannerError } from './scanner.ts'

/** @param seconds it had */
export function explained(
  error: unknown,
  who: string,
  seconds: number,
  hidden: (text: string) => string,
): unknown {
  if (error instanceof ScannerError)
    return new ScannerError(hidden(`${who}: ${error.message}`), { final: error.final, cause: error.cause })
  const { name } = error as Error
  if (name === 'TimeoutError' || name === 'AbortError')
    return new ScannerError(`${who}: it gave no answer within ${seconds} s`, { cause: error })
  return error
}

/** As they stand in requests. */
export function secretsOf({ credential }: ScannerAddress): string[] {
  return [credential, Buffer.from(credential).toString('base64')]
}

export function withoutSecrets(secrets: string[]): (text: string) => string {
  const real = secrets.filter((each) => each !== '')
  return (text) => real.reduce((rest, secret) => rest.replaceAll(secret, '***'), text)
}
