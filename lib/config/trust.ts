// Certificate authorities besides the system's, for upstreams and directories of one's own.
import { readFileSync } from 'node:fs'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g

/** ENTREPOT_TRUST holds PEM certificates, ENTREPOT_TRUST_FILE names a file of them. @throws Error when they are none */
export function trustExtraAuthorities(env: NodeJS.ProcessEnv): void {
  const { ENTREPOT_TRUST: text, ENTREPOT_TRUST_FILE: file } = env
  const pem = `${text ?? ''}\n${file === undefined ? '' : readFileSync(file, 'utf8')}`
  if (pem.trim() === '') return
  const extra = pem.match(CERTIFICATE)
  if (!extra) throw new Error('ENTREPOT_TRUST and ENTREPOT_TRUST_FILE hold no PEM certificate')
  setDefaultCACertificates([...getCACertificates('default'), ...extra])
}
