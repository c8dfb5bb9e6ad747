// Runs once a deployment is up, and by hand: looks at the user's own stack from outside, and switches on only what was seen to work.
import { readSecretText } from '../aws/secrets-manager.ts'
import { type Diagnosis, DOCTOR_REPOSITORY, examine } from '../doctor/doctor.ts'
import { answerCustomResource, isCustomResource } from './custom-resource.ts'
import { edgeKeys } from './edge-keys.ts'
import { logLine } from './log.ts'

export interface ProbeSettings {
  url: string
  adminPassword: string
  keyValueStore: string
  /** Whether blobs may go straight to S3 at all. */
  directUploads: 'on' | 'off'
}

/** A new distribution and a new key take a while to be everywhere. */
const PATIENCE_MS = 240_000
const PAUSE_MS = 5000

/** What was seen, in the words of the stack's outputs. */
export interface Facts extends Record<string, string> {
  /** `on` or `off`: direct uploads. */
  Direct: string
  /** The clients whose blobs go straight to S3. */
  Clients: string
  /** The checks that failed, or `nothing`. */
  Failed: string
}

/** Those that send a whole blob with one PUT; the others stream, which S3 does not take. */
const WHOLE_BLOBS = 'Docker 29, buildx, containerd, helm, oras, notation, regctl'

/** @returns what was seen, to whoever asked by hand; a deployment gets it as its custom resource's answer */
export async function runProbe(event: unknown, settings: ProbeSettings): Promise<Facts | undefined> {
  if (isCustomResource(event)) {
    await answerCustomResource(event, () => probe(settings))
    return undefined
  }
  if ((event as { task?: string } | null)?.task === 'probe') return probe(settings)
  throw new Error('this function is for deployments, or does {"task":"probe"}')
}

async function probe(settings: ProbeSettings): Promise<Facts> {
  const keys = edgeKeys(settings.keyValueStore)
  const login = { user: 'admin', password: await readSecretText(settings.adminPassword) }
  let direct: 'on' | 'off' = 'off'
  if (settings.directUploads === 'on') {
    // Not seen to be safe yet: for the doctor's own blobs alone. If this run ends early, nobody else's went that way.
    // What an earlier run saw to work goes on meanwhile.
    if ((await keys.direct()) !== 'on') await keys.setDirect(DOCTOR_REPOSITORY)
    const seen = await patiently(async () =>
      (await examine(settings.url, login, ['direct-whole-blob', 'direct-wrong-digest', 'no-smuggling'])).map(
        (diagnosis) => ({ ...diagnosis, optional: false }),
      ),
    )
    direct = seen.every(({ passed }) => passed) ? 'on' : 'off'
    for (const diagnosis of seen) logLine({ component: 'probe', ...diagnosis })
  }
  await keys.setDirect(direct)
  const diagnoses = await patiently(() => examine(settings.url, login))
  for (const diagnosis of diagnoses) logLine({ component: 'probe', ...diagnosis })
  const failed = diagnoses.filter(({ passed, optional }) => !passed && !optional)
  return {
    Direct: direct,
    Clients: direct === 'on' ? WHOLE_BLOBS : 'none',
    Failed:
      failed
        .map(({ id, found }) => `${id}: ${found}`)
        .join('; ')
        .slice(0, 1000) || 'nothing',
  }
}

/** What fails at first may only not have arrived everywhere yet. */
async function patiently(look: () => Promise<Diagnosis[]>): Promise<Diagnosis[]> {
  const deadline = Date.now() + PATIENCE_MS
  for (;;) {
    const diagnoses = await look()
    if (diagnoses.every(({ passed, optional }) => passed || optional) || Date.now() > deadline)
      return diagnoses
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}
