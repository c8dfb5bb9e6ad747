// What a function is told by its environment, checked once when its container starts.
import * as z from 'zod'
import { type Config, configSchema } from '../config/schema.ts'

const environment = z.object({
  ENTREPOT_TABLE: z.string().min(3),
  ENTREPOT_BUCKET: z.string().min(3),
  ENTREPOT_SECRETS: z.string().min(1),
  ENTREPOT_UNDO_WINDOW_DAYS: z.string().optional(),
  ENTREPOT_PUSH_GRACE_HOURS: z.string().optional(),
  ENTREPOT_BLOB_LIMIT_GIB: z.string().optional(),
  ENTREPOT_DIRECT_UPLOADS: z.enum(['on', 'off']).default('off'),
  /** Requests come through the edge, and only through it. */
  ENTREPOT_EDGE: z.enum(['on', 'off']).default('off'),
  /** HEAD of a blob is sent to S3, where the gateway would lose its length. */
  ENTREPOT_REDIRECT_HEADS: z.enum(['on', 'off']).default('off'),
})

export interface FunctionSettings {
  config: Config
}

/** @throws Error naming the variable, at the start of the container and not in the middle of a request */
export function readFunctionSettings(env: NodeJS.ProcessEnv): FunctionSettings {
  const parsed = environment.safeParse(env)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new Error(`environment variable ${issue!.path.join('.')}: ${issue!.message}`)
  }
  const {
    ENTREPOT_TABLE: table,
    ENTREPOT_BUCKET: bucket,
    ENTREPOT_SECRETS: secrets,
    ENTREPOT_UNDO_WINDOW_DAYS: undoWindowDays,
    ENTREPOT_PUSH_GRACE_HOURS: pushGraceHours,
    ENTREPOT_BLOB_LIMIT_GIB: blobLimitGiB,
    ENTREPOT_DIRECT_UPLOADS: directUploads,
    ENTREPOT_EDGE: edge,
    ENTREPOT_REDIRECT_HEADS: redirectHeads,
  } = parsed.data
  const config = configSchema.parse({
    stores: 'aws',
    table,
    bucket,
    secrets,
    directUploads,
    edge,
    redirectHeads,
    ...(undoWindowDays === undefined ? {} : { undoWindowDays }),
    ...(pushGraceHours === undefined ? {} : { pushGraceHours }),
    ...(blobLimitGiB === undefined ? {} : { blobLimitGiB }),
  })
  return { config }
}
