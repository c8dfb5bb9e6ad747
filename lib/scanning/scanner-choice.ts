// Which scanner looks into a project's images: its own, else the default, else the built-in Trivy.
import { RegistryError } from '../oci/errors.ts'
import { projectOf } from '../oci/reference.ts'
import { keys } from '../registry/keys.ts'
import type { Item } from '../registry/ports.ts'
import { findProject, type Project } from '../registry/projects.ts'
import type { Registry } from '../registry/registry.ts'
import { type Registration, registrationIn } from './registration.ts'
import { TRIVY_ID } from './scanners.ts'

export interface ChosenScanner {
  id: string
  name: string
  disabled: boolean
  /** Absent of the built-in one. */
  registration?: Registration
}

/** What administrators said of scanners as a whole. */
export interface ScannerSettings {
  /** The default one's id. */
  default: string
  /** The built-in one. */
  trivyDisabled: boolean
}

export function scannerSettingsIn(item: Item | undefined): ScannerSettings {
  const { default: chosen, trivyDisabled } = (item?.attributes ?? {}) as Partial<ScannerSettings>
  return { default: chosen ?? TRIVY_ID, trivyDisabled: trivyDisabled === true }
}

/** One or two calls. A scanner that is gone by now counts as not chosen. */
export async function scannerOf(
  registry: Registry,
  project: Pick<Project, 'scannerId'> | undefined,
): Promise<ChosenScanner> {
  const own = project?.scannerId
  const [settingsItem, ownItem] = await registry.metadata.batchGet([
    keys.scannerSettings,
    ...(own === undefined || own === TRIVY_ID ? [] : [keys.scannerRegistration(own)]),
  ])
  const settings = scannerSettingsIn(settingsItem)
  const trivy = { id: TRIVY_ID, name: 'Trivy', disabled: settings.trivyDisabled }
  if (own === TRIVY_ID) return trivy
  const found =
    registrationIn(ownItem) ??
    (settings.default === TRIVY_ID
      ? undefined
      : registrationIn(await registry.metadata.get(keys.scannerRegistration(settings.default))))
  return found ? chosen(found) : trivy
}

export function chosen(registration: Registration): ChosenScanner {
  const { id, name, disabled } = registration
  return { id, name, disabled, registration }
}

export async function scannerOfRepository(registry: Registry, repository: string): Promise<ChosenScanner> {
  return scannerOf(registry, await findProject(registry, projectOf(repository)))
}

/** @throws PRECONDITION in Harbor's words */
export function requireEnabled({ name, disabled }: ChosenScanner): void {
  if (disabled) throw new RegistryError('PRECONDITION', `scanner ${name} is deactivated`)
}
