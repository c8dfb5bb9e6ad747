// One twin for all files of a run: they share a worker (`vitest --no-isolate --no-file-parallelism`), and the twin's
// processes go with it.
import { startTwin, type Twin, type TwinOptions } from './twin.ts'

const shared = globalThis as { entrepotTwin?: Promise<Twin> }

const SABOTAGED: Record<string, TwinOptions> = {
  'direct-off': { cloud: { directUploads: 'off' } },
}

export function sharedTwin(): Promise<Twin> {
  shared.entrepotTwin ??= startTwin(SABOTAGED[process.env.SABOTAGE ?? ''])
  return shared.entrepotTwin
}

/** The files of this run that come later use that one. */
export function shareTwin(twin: Twin): void {
  shared.entrepotTwin = Promise.resolve(twin)
}
