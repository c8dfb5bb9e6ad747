// One twin for all files of a run: they share a worker (`vitest --no-isolate --no-file-parallelism`), and the twin's
// processes go with it.
import { startTwin, type Twin, type TwinOptions } from './twin.ts'

const shared = globalThis as { entrepotTwin?: Promise<Twin> }

const VARIANTS: Record<string, TwinOptions> = {
  '': { cloud: { cognito: {} } },
  'direct-off': { cloud: { directUploads: 'off' } },
  alb: {
    cloud: {
      frontDoor: 'alb',
      domain: {
        name: 'registry.twin.test',
        certificateArn: 'arn:aws:acm:us-east-1:111122223333:certificate/00000000-0000-0000-0000-000000000000',
      },
    },
  },
}

export function sharedTwin(): Promise<Twin> {
  shared.entrepotTwin ??= startTwin(
    VARIANTS[process.env.SABOTAGE ?? process.env.TWIN_VARIANT ?? ''] ?? VARIANTS[''],
  )
  return shared.entrepotTwin
}

/** The files of this run that come later use that one. */
export function shareTwin(twin: Twin): void {
  shared.entrepotTwin = Promise.resolve(twin)
}
