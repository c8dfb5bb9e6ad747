// What a repository does not have. Apart from other errors, because a cache may fetch it.
import { type ErrorCode, RegistryError } from '../oci/errors.ts'
import type { Repository } from './repositories.ts'

export class AbsentContent extends RegistryError {
  readonly repository: Repository

  constructor(repository: Repository, code: ErrorCode, message: string, detail: unknown) {
    super(code, message, { detail })
    this.repository = repository
  }
}
