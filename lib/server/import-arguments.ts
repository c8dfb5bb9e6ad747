// Options of `entrepot import harbor`.
import { parsed, UsageError } from './operation.ts'

export interface ImportOptions {
  user: string
  password: string
  /** Names of projects; undefined for everything. */
  only: string[] | undefined
  writes: boolean
  dryRun: boolean
  overwrite: boolean
  createUsers: boolean
  enableRules: boolean
  /** Tell what is the same too. */
  all: boolean
  insecure: boolean
  /** PEM, empty for none. */
  caCertificate: string
}

const FLAGS = ['dry-run', 'drift', 'overwrite', 'create-users', 'enable-rules', 'all', 'insecure'] as const

/** @throws UsageError */
export function importOptions(args: string[]): ImportOptions & { positionals: string[] } {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const { positionals, values } = parsed(args, {
    user: text,
    password: text,
    ca: text,
    project: { type: 'string', multiple: true },
    'dry-run': flag,
    drift: flag,
    overwrite: flag,
    'create-users': flag,
    'enable-rules': flag,
    all: flag,
    insecure: flag,
  })
  const [dryRun, drift, overwrite, createUsers, enableRules, all, insecure] = FLAGS.map(
    (name) => values[name] === true,
  ) as [boolean, boolean, boolean, boolean, boolean, boolean, boolean]
  const { user = '', password = '', ca = '', project } = values
  if (user === '' || user.includes(':')) throw new UsageError('say who logs in there: --user NAME')
  if (password === '') throw new UsageError('the password comes by --password-stdin or --password-file FILE')
  if (dryRun && drift) throw new UsageError('--dry-run and --drift are two things: choose one')
  const only = project?.flatMap((each) => each.split(',')).map((each) => each.trim())
  if (only?.includes('')) throw new UsageError('--project needs names with commas between them')
  return {
    positionals,
    user,
    password,
    only,
    writes: !dryRun && !drift,
    dryRun,
    overwrite,
    createUsers,
    enableRules,
    all,
    insecure,
    caCertificate: ca,
  }
}
