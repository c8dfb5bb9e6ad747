// Whether the login of an import sees everything that it is to bring.
import { flagIn, textIn } from './fields.ts'
import { type HarborApi, HarborApiError } from './harbor-api.ts'

const PRECONDITION_FAILED = 412

/** @throws HarborApiError unless it is an administrator of a Harbor */
export async function requireAdministrator(source: HarborApi): Promise<void> {
  const who = await source.get('/users/current').catch((error) => {
    // What Harbor says to robots.
    if (!(error instanceof HarborApiError && error.status === PRECONDITION_FAILED)) throw error
    throw new HarborApiError(
      `${error.message}: log in as a user who administers it, not as a robot`,
      error.status,
    )
  })
  if (flagIn(who, 'sysadmin_flag') || flagIn(who, 'admin_role_in_auth')) return
  throw new HarborApiError(
    `${textIn(who, 'username') || 'this user'} does not administer ${source.host}: only an administrator sees all of it`,
  )
}
