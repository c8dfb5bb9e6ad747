// Cognito as an identity provider: name and password are checked by the admin flow, in which no secret of ours is needed
// and the password goes over TLS to Cognito alone. Groups come with the answer: a login is one call.
import {
  AdminInitiateAuthCommand,
  CognitoIdentityProviderClient,
} from '@aws-sdk/client-cognito-identity-provider'
import { decodeJwt } from 'jose'
import type { Identity, IdentityProvider } from '../access/identity-providers.ts'
import { RegistryError } from '../oci/errors.ts'

/** Members of this group of the pool administer the registry. */
const ADMIN_GROUP = 'entrepot-admins'
/** Wrong name or password; which of them nobody is told. */
const WRONG = new Set(['NotAuthorizedException', 'UserNotFoundException', 'InvalidPasswordException'])
const TOO_MANY = new Set(['TooManyRequestsException', 'LimitExceededException'])
/** What the user has to do first, in Cognito's words and ours. */
const FIRST: Record<string, string> = {
  NEW_PASSWORD_REQUIRED: 'set a new password first, where your organisation logs in',
  PasswordResetRequiredException: 'reset your password first, where your organisation logs in',
  UserNotConfirmedException: 'confirm your account first',
}
const MFA =
  'accounts with a second factor cannot log in with a password alone: use a robot account or a CLI secret'

export function cognitoProvider(UserPoolId: string, ClientId: string): IdentityProvider {
  const client = new CognitoIdentityProviderClient({ maxAttempts: 3 })

  async function verify(name: string, password: string): Promise<Identity | undefined> {
    try {
      const answer = await client.send(
        new AdminInitiateAuthCommand({
          UserPoolId,
          ClientId,
          AuthFlow: 'ADMIN_USER_PASSWORD_AUTH',
          AuthParameters: { USERNAME: name, PASSWORD: password },
        }),
      )
      if (answer.ChallengeName) throw first(FIRST[answer.ChallengeName] ?? MFA, answer.ChallengeName)
      return identityIn(name, answer.AuthenticationResult?.IdToken)
    } catch (error) {
      const { name: kind } = error as Error
      if (WRONG.has(kind)) return undefined
      if (error instanceof RegistryError) throw error
      if (FIRST[kind]) throw first(FIRST[kind], kind)
      if (TOO_MANY.has(kind))
        throw new RegistryError('TOOMANYREQUESTS', 'Cognito takes no more logins at the moment: try again', {
          headers: { 'Retry-After': '2' },
          cause: error,
        })
      throw new RegistryError('UNAVAILABLE', `Cognito does not check passwords at the moment (${kind})`, {
        cause: error,
      })
    }
  }
  return { id: `cognito:${UserPoolId}`, adminGroup: ADMIN_GROUP, verify }
}

/** Not verified: it came from Cognito itself a moment ago, over TLS. */
function identityIn(name: string, idToken: string | undefined): Identity | undefined {
  if (idToken === undefined) return undefined
  const claims = decodeJwt(idToken)
  const text = (claim: string) => (typeof claims[claim] === 'string' ? claims[claim] : '')
  const groups = claims['cognito:groups']
  // Pools where people log in by email call them by a number that nobody types.
  const typed = text('email').toLowerCase() === name.toLowerCase() && claims.email_verified !== false
  return {
    name: typed ? name : text('cognito:username') || name,
    email: text('email'),
    realName: text('name'),
    groups: Array.isArray(groups) ? groups.filter((each) => typeof each === 'string') : [],
  }
}

function first(what: string, why: string): RegistryError {
  return new RegistryError('UNAUTHORIZED', `authentication required: ${what} (${why})`)
}
