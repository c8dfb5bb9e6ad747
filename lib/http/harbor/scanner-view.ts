// Scanners as Harbor's API shows them: the built-in one, and those that are registered.
import { capabilitiesOf } from '../../scanning/adapter-metadata.ts'
import type { Registration } from '../../scanning/registration.ts'
import type { ScannerHealth } from '../../scanning/scanner-health.ts'
import { type KnownScanner, TRIVY_ID } from '../../scanning/scanners.ts'
import { time } from './answers.ts'
import type { Row } from './lists.ts'

/** Whether it is well is known once it has scanned something. */
export function trivyView(
  { name, vendor, version, known }: KnownScanner,
  { disabled, isDefault }: { disabled: boolean; isDefault: boolean },
): Row {
  return {
    uuid: TRIVY_ID,
    name,
    description: 'Looks for packages with vulnerabilities, secrets and misconfigurations in images.',
    url: 'http://localhost',
    disabled,
    is_default: isDefault,
    health: known ? 'healthy' : '',
    auth: '',
    access_credential: '',
    skip_certVerify: false,
    use_internal_addr: true,
    adapter: name,
    vendor,
    version,
    capabilities: { support_vulnerability: true, support_sbom: true },
  }
}

/** The credential is never shown. */
export function registrationView(registration: Registration, isDefault: boolean, health: ScannerHealth): Row {
  const { id, name, description, url, disabled, auth, skipCertVerify, useInternalAddr } = registration
  const said = 'metadata' in health ? health.metadata : undefined
  return {
    uuid: id,
    name,
    description,
    url,
    disabled,
    is_default: isDefault,
    health: said ? 'healthy' : 'unhealthy',
    auth,
    access_credential: '',
    skip_certVerify: skipCertVerify,
    use_internal_addr: useInternalAddr,
    create_time: time(registration.createdAtMs),
    update_time: time(registration.updatedAtMs),
    ...(said
      ? {
          adapter: said.scanner.name,
          vendor: said.scanner.vendor,
          version: said.scanner.version,
          capabilities: capabilitiesOf(said),
        }
      : {}),
  }
}
