// Other registries as Harbor's API shows them.
import type { RemoteRegistry } from '../../registries/remote-registry.ts'
import { time } from './answers.ts'
import type { Row } from './lists.ts'

/** That there is a secret is all that is said of it, in Harbor's own stars. */
export const SHOWN_SECRET = '*****'

export function registryView(remote: RemoteRegistry): Row {
  const { credentialType, accessKey, sealedSecret, caCertificate } = remote
  return {
    id: remote.id,
    name: remote.name,
    description: remote.description,
    type: remote.type,
    url: remote.url,
    insecure: remote.insecure,
    ...(caCertificate === '' ? {} : { ca_certificate: caCertificate }),
    // Always there, as Harbor has it: harbor-cli looks into it without asking.
    credential: {
      ...(credentialType === '' ? {} : { type: credentialType }),
      ...(accessKey === '' ? {} : { access_key: accessKey }),
      ...(sealedSecret === '' ? {} : { access_secret: SHOWN_SECRET }),
    },
    status: remote.healthy ? 'healthy' : 'unhealthy',
    creation_time: time(remote.createdAtMs),
    update_time: time(remote.updatedAtMs),
  }
}
