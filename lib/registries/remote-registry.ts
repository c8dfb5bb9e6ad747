// Other registries that this one copies from and to, as administrators name them; their passwords are sealed.
import { type SealingKeys, seal, unseal } from '../access/sealing.ts'
import { RegistryError } from '../oci/errors.ts'
import { keys } from '../registry/keys.ts'
import type { Attributes, Item } from '../registry/ports.ts'
import type { Registry } from '../registry/registry.ts'
import { providerOf } from '../upstream/providers.ts'
import { checkedUrl } from './registry-url.ts'

export interface RemoteRegistry {
  id: number
  name: string
  description: string
  /** Of a provider. */
  type: string
  /** As it was written; some providers speak the protocol elsewhere. */
  url: string
  /** Its certificate is not checked. */
  insecure: boolean
  /** PEM, empty for none. */
  caCertificate: string
  credentialType: string
  accessKey: string
  /** Sealed, empty for none. */
  sealedSecret: string
  healthy: boolean
  /** Why it is not healthy; empty when it is. */
  reason: string
  checkedAtMs: number
  createdAtMs: number
  updatedAtMs: number
}

/** What people write; the secret in the clear. */
export interface RegistryText {
  name: string
  description: string
  type: string
  url: string
  insecure: boolean
  caCertificate: string
  credentialType: string
  accessKey: string
  accessSecret: string
}

const NAME_LIMIT = 64
const DESCRIPTION_LIMIT = 1024
const CREDENTIAL_LIMIT = 16 * 1024
const CA_LIMIT = 64 * 1024
const CERTIFICATES = /^\s*(?:-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+$/

/** @returns the same with its URL in order. @throws REQUEST_INVALID naming what is wrong */
export function checkedText(given: RegistryText): RegistryText {
  const invalid = (why: string) => new RegistryError('REQUEST_INVALID', why)
  if (given.name === '') throw invalid('name cannot be empty')
  if (given.name.length > NAME_LIMIT) throw invalid(`the max length of name is ${NAME_LIMIT}`)
  if (given.description.length > DESCRIPTION_LIMIT)
    throw invalid(`the description has more than ${DESCRIPTION_LIMIT} characters`)
  if (!providerOf(given.type))
    throw invalid(`there is no registry type ${JSON.stringify(given.type.slice(0, 64))}`)
  if (Buffer.byteLength(given.accessKey) + Buffer.byteLength(given.accessSecret) > CREDENTIAL_LIMIT)
    throw invalid(`the credential has more than ${CREDENTIAL_LIMIT} bytes`)
  if (/[\0\r\n]/.test(given.accessKey)) throw invalid('the access key has a line break in it')
  const { caCertificate } = given
  if (caCertificate !== '' && (caCertificate.length > CA_LIMIT || !CERTIFICATES.test(caCertificate)))
    throw invalid(`the CA certificate must be PEM, of at most ${CA_LIMIT} characters`)
  return { ...given, url: checkedUrl(given.url) }
}

/** @returns the registry as it is to be stored */
export function sealed(
  keys: SealingKeys,
  { accessSecret, ...text }: RegistryText,
  rest: Pick<RemoteRegistry, 'id' | 'createdAtMs' | 'updatedAtMs' | 'checkedAtMs'>,
): RemoteRegistry {
  const sealedSecret = accessSecret === '' ? '' : seal(keys, accessSecret, placeOf(rest.id))
  return { ...text, ...rest, sealedSecret, healthy: true, reason: '' }
}

/** The text of a stored registry, its secret opened. @throws RegistryError when its key is gone */
export function opened(keys: SealingKeys, registry: RemoteRegistry): RegistryText {
  const { name, description, type, url, insecure, caCertificate, credentialType, accessKey } = registry
  let accessSecret = ''
  if (registry.sealedSecret !== '')
    try {
      accessSecret = unseal(keys, registry.sealedSecret, placeOf(registry.id))
    } catch (cause) {
      throw new RegistryError(
        'UNAVAILABLE',
        `the secret of registry ${name} cannot be opened with this registry’s keys: set it again`,
        { cause },
      )
    }
  return { name, description, type, url, insecure, caCertificate, credentialType, accessKey, accessSecret }
}

export function remoteRegistryIn(item: Item | undefined): RemoteRegistry | undefined {
  if (!item) return undefined
  const { v: _, gen: __, ...registry } = item.attributes
  return registry as unknown as RemoteRegistry
}

export function remoteRegistryItem(registry: Registry, remote: RemoteRegistry): Item {
  const attributes = { v: 1, gen: registry.newId(), ...remote } as unknown as Attributes
  return { ...keys.remoteRegistry(remote.id), attributes }
}

/** @throws NOT_FOUND */
export async function requireRemoteRegistry(registry: Registry, id: number): Promise<RemoteRegistry> {
  const remote = remoteRegistryIn(await registry.metadata.get(keys.remoteRegistry(id)))
  if (!remote) throw unknownRegistry(id)
  return remote
}

export function unknownRegistry(id: number): RegistryError {
  return new RegistryError('NOT_FOUND', `registry ${id} not found`)
}

function placeOf(id: number): string {
  return `registry:${id}`
}
