// One twin for all files of a run: they share a worker (`vitest --no-isolate --no-file-parallelism`), and the twin's
// processes go with it.
import { startTwin, type Twin } from './twin.ts'

const shared = globalThis as { entrepotTwin?: Promise<Twin> }

export function sharedTwin(): Promise<Twin> {
  shared.entrepotTwin ??= startTwin()
  return shared.entrepotTwin
}
