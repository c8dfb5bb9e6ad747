// Why an image may not be pulled.
import { RegistryError } from '../oci/errors.ts'

export interface Violation {
  rule: 'vulnerability' | 'cosign' | 'notation' | 'sbom'
  /** For people, beginning with Harbor's words, which clients look for. */
  text: string
  /** For programs. */
  detail?: Record<string, unknown>
}

export function refusal(violations: readonly Violation[], principal: string): RegistryError {
  return new RegistryError('PROJECTPOLICYVIOLATION', violations.map(({ text }) => text).join(' '), {
    detail: violations.map(({ rule, detail }) => ({ rule, ...detail })),
    principal,
  })
}
