// Keeping scanners: registered, listed, changed, chosen as the default, deleted.
import { randomUUID } from 'node:crypto'
import type { SealingKeys } from '../access/sealing.ts'
import { RegistryError } from '../oci/errors.ts'
import { changeItem } from '../registry/change-item.ts'
import { keys, partitions } from '../registry/keys.ts'
import { pagesOf } from '../registry/partitions.ts'
import type { Attributes, Condition, Write } from '../registry/ports.ts'
import type { Registry } from '../registry/registry.ts'
import {
  attributesOf,
  checkedRegistration,
  credentialOf,
  type Registration,
  type RegistrationText,
  registrationIn,
  sealedRegistration,
} from './registration.ts'
import { type ScannerSettings, scannerSettingsIn } from './scanner-choice.ts'
import { TRIVY_ID } from './scanners.ts'

/** They are asked how they are when they are listed. */
const REGISTRATIONS_LIMIT = 50
const ATTEMPTS = 20

/**
 * @param text has been checked
 * @throws CONFLICT in Harbor's words when its name or URL is taken
 */
export async function createRegistration(
  registry: Registry,
  sealing: SealingKeys,
  text: ReturnType<typeof checkedRegistration>,
): Promise<Registration> {
  if ((await listRegistrations(registry)).length >= REGISTRATIONS_LIMIT)
    throw new RegistryError('REQUEST_INVALID', `there are ${REGISTRATIONS_LIMIT} scanners: delete some first`)
  const now = registry.clock.nowMs()
  const made = sealedRegistration(sealing, text, { id: randomUUID(), createdAtMs: now, updatedAtMs: now })
  const item = { ...keys.scannerRegistration(made.id), attributes: attributesOf(made, registry.newId()) }
  const outcome = await registry.metadata.transact([
    { kind: 'put', if: { kind: 'absent' }, item },
    ...names(made).map((key) => taking(key, made.id)),
  ])
  if (!outcome.ok) throw taken()
  return made
}

/** Newest first, as Harbor lists them. */
export async function listRegistrations(registry: Registry): Promise<Registration[]> {
  const found: Registration[] = []
  const listed = { pk: partitions.scanners, prefix: 'S#' }
  for await (const page of pagesOf(registry.metadata, listed))
    for (const item of page) found.push(registrationIn(item)!)
  return found.sort((one, other) => other.createdAtMs - one.createdAtMs)
}

export async function readRegistration(registry: Registry, id: string): Promise<Registration | undefined> {
  return registrationIn(await registry.metadata.get(keys.scannerRegistration(id)))
}

/**
 * A credential that is not given stays, as in Harbor; but not for another host or another way to log in.
 * @throws NOT_FOUND, REQUEST_INVALID, CONFLICT
 */
export async function updateRegistration(
  registry: Registry,
  sealing: SealingKeys,
  id: string,
  change: RegistrationText,
): Promise<Registration> {
  let after: Registration | undefined
  const item = await changeItem(
    registry,
    keys.scannerRegistration(id),
    async (attributes) => {
      const before = registrationIn({ pk: '', sk: '', attributes })!
      const text = checkedRegistration(withCredential(sealing, before, change))
      if (text.disabled && (await readScannerSettings(registry)).default === id) throw defaultStays(id)
      const { createdAtMs } = before
      after = sealedRegistration(sealing, text, { id, createdAtMs, updatedAtMs: registry.clock.nowMs() })
      return attributesOf(after, '')
    },
    (_, before) => renamed(registrationIn({ pk: '', sk: '', attributes: before })!, after!),
  ).catch((error) => {
    throw error instanceof RegistryError && error.code === 'CONFLICT' ? taken() : error
  })
  if (!item) throw unknownScanner(id)
  return after!
}

function withCredential(
  sealing: SealingKeys,
  before: Registration,
  change: RegistrationText,
): RegistrationText {
  if (change.accessCredential !== '' || change.auth !== before.auth) return change
  const host = (url: string) => (URL.canParse(url) ? new URL(url).origin : url)
  return host(change.url.trim()) === host(before.url)
    ? { ...change, accessCredential: credentialOf(sealing, before) }
    : change
}

/** @returns what it was. @throws NOT_FOUND */
export async function deleteRegistration(registry: Registry, id: string): Promise<Registration> {
  const registration = await readRegistration(registry, id)
  if (!registration) throw unknownScanner(id)
  // Where it was chosen, the choice no longer counts.
  await registry.metadata.transact([
    { kind: 'delete', key: keys.scannerRegistration(id) },
    ...names(registration).map((key): Write => ({ kind: 'delete', key })),
  ])
  return registration
}

export async function readScannerSettings(registry: Registry): Promise<ScannerSettings> {
  return scannerSettingsIn(await registry.metadata.get(keys.scannerSettings))
}

/** @throws NOT_FOUND, also when it is deactivated, as in Harbor */
export async function makeDefault(registry: Registry, id: string): Promise<void> {
  await changeSettings(registry, async (settings) => {
    const item = id === TRIVY_ID ? undefined : await registry.metadata.get(keys.scannerRegistration(id))
    const usable = id === TRIVY_ID ? !settings.trivyDisabled : item && !registrationIn(item)!.disabled
    if (!usable) throw new RegistryError('NOT_FOUND', `registration ${id.slice(0, 80)} not found`)
    // Whoever deactivates it at this moment changes its item.
    const gen = item?.attributes.gen as string
    const attributes = item && { ...item.attributes, gen: registry.newId() }
    const also: Write[] = item
      ? [
          {
            kind: 'put',
            if: { kind: 'equals', attributes: { gen } },
            item: { ...item, attributes: attributes! },
          },
        ]
      : []
    return { settings: { ...settings, default: id }, also }
  })
}

/** The one thing of the built-in scanner that can be changed. @throws REQUEST_INVALID of the default one */
export async function disableTrivy(registry: Registry, disabled: boolean): Promise<void> {
  await changeSettings(registry, async (settings) => {
    const chosen = settings.default === TRIVY_ID || !(await readRegistration(registry, settings.default))
    if (disabled && chosen) throw defaultStays(TRIVY_ID)
    return { settings: { ...settings, trivyDisabled: disabled }, also: [] }
  })
}

/** @throws UNAVAILABLE when too many change them at once */
async function changeSettings(
  registry: Registry,
  change: (before: ScannerSettings) => Promise<{ settings: ScannerSettings; also: Write[] }>,
): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const item = await registry.metadata.get(keys.scannerSettings)
    const { settings, also } = await change(scannerSettingsIn(item))
    const unchanged: Condition = item
      ? { kind: 'equals', attributes: { gen: item.attributes.gen as string } }
      : { kind: 'absent' }
    const attributes: Attributes = { v: 1, gen: registry.newId(), ...settings }
    const write: Write = { kind: 'put', if: unchanged, item: { ...keys.scannerSettings, attributes } }
    if ((await registry.metadata.transact([write, ...also])).ok) return
  }
  throw new RegistryError('UNAVAILABLE', 'too many change the scanners at once: try again')
}

function names({ name, url }: Registration) {
  return [keys.scannerName(name), keys.scannerUrl(url)]
}

function taking(key: ReturnType<typeof keys.scannerName>, id: string): Write {
  return { kind: 'put', if: { kind: 'absent' }, item: { ...key, attributes: { v: 1, id } } }
}

/** Its new name and URL are taken, and the old ones free. */
function renamed(before: Registration, after: Registration): Write[] {
  const [old, fresh] = [names(before), names(after)]
  return fresh.flatMap((key, index): Write[] =>
    key.sk === old[index]!.sk ? [] : [taking(key, after.id), { kind: 'delete', key: old[index]! }],
  )
}

export function unknownScanner(id: string): RegistryError {
  return new RegistryError('NOT_FOUND', `scanner ${id.slice(0, 80)} not found`)
}

function defaultStays(id: string): RegistryError {
  return new RegistryError('REQUEST_INVALID', `default registration ${id} can not be marked to deactivated`)
}

function taken(): RegistryError {
  return new RegistryError('CONFLICT', 'registration name or url already exists')
}
