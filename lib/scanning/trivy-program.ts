// Runs a scanner's program, with little of our environment, and ends it when nobody waits for it any more.
import { type ChildProcess, spawn } from 'node:child_process'
import { ScannerError } from './scanner.ts'

/** What trivy would ask of the internet besides its databases. */
export const ALONE = ['--disable-telemetry', '--skip-version-check', '--skip-vex-repo-update']
const ERROR_CHARACTERS = 2000
/** Of a program that was told to stop. */
export const GRACE_MS = 5000

/** @throws ScannerError with what it printed last */
export function run(
  program: string,
  args: string[],
  env: Record<string, string>,
  signal: AbortSignal,
): Promise<{ output: string; errors: string }> {
  return new Promise((resolve, reject) => {
    const { PATH, HOME, SSL_CERT_FILE, SSL_CERT_DIR, HTTPS_PROXY, HTTP_PROXY, NO_PROXY } = process.env
    const kept = { PATH, HOME, SSL_CERT_FILE, SSL_CERT_DIR, HTTPS_PROXY, HTTP_PROXY, NO_PROXY }
    const child = spawn(program, args, { env: { ...kept, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    const [output, errors] = [collect(child.stdout!), collect(child.stderr!)]
    const stop = () => stopChild(child)
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    child.on('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'ENOENT'
          ? new ScannerError(`there is no program ${program}: install trivy, or name it with --trivy`, {
              final: true,
            })
          : new ScannerError(`trivy cannot be run: ${error.message}`, { cause: error }),
      ),
    )
    child.on('close', (code, killed) => {
      signal.removeEventListener('abort', stop)
      if (code === 0) return resolve({ output: output(), errors: errors() })
      const why = killed ? `was killed by ${killed}` : `ended with ${code}`
      const said = lastOf(errors())
      reject(
        new ScannerError(signal.aborted ? 'trivy took too long, or was stopped' : `trivy ${why}: ${said}`),
      )
    })
  })
}

function stopChild(child: ChildProcess): void {
  child.kill('SIGTERM')
  setTimeout(() => child.kill('SIGKILL'), GRACE_MS).unref()
}

/** The end of it, when it is more than is worth keeping. */
function collect(stream: NodeJS.ReadableStream): () => string {
  let text = ''
  stream.on('data', (chunk: Buffer) => {
    text = `${text}${chunk}`.slice(-1_000_000)
  })
  return () => text
}

/** Its last words are the reason; of a crash, which ends with what all its threads did, the first. */
function lastOf(errors: string): string {
  const crash = /^(panic|fatal error|unexpected fault address|SIG[A-Z]+:).*/m.exec(errors)
  if (!crash) {
    const complaints = errors.split('\n').filter((line) => /\t(ERROR|FATAL)\t/.test(line))
    return (complaints.length > 0 ? complaints.join('\n') : errors.trim()).slice(-ERROR_CHARACTERS)
  }
  const where = /\b(go\.etcd\.io\/bbolt)\b/.exec(errors)?.[1]
  return `it crashed: ${crash[0].slice(0, 300)}${where ? ` (in ${where})` : ''}`
}
