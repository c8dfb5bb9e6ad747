// Numbers in paths.
import { RegistryError } from '../../oci/errors.ts'
import type { HarborCall } from './call.ts'

/** @throws REQUEST_INVALID (422) for anything but a number */
export function numberOf({ params }: HarborCall, name: string): number {
  const text = params[name] ?? ''
  if (!/^\d{1,15}$/.test(text))
    throw new RegistryError('REQUEST_INVALID', `${name} in path must be a whole number`, { status: 422 })
  return Number(text)
}
