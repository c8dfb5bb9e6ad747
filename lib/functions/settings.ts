// What a function is told by its environment, checked once when its container starts. By hand: the schema's library is a
// seventh of what a cold start would have to read.
import type { CloudStoresConfig } from '../config/registry-settings.ts'

export interface FunctionSettings {
  config: CloudStoresConfig & {
    /** Requests come through the edge, and only through it. */
    edge: 'on' | 'off'
    /** There are tasks that take and send streams. */
    ingest?: 'on' | 'off'
  }
}

/** @throws Error naming the variable, at the start of the container and not in the middle of a request */
export function readFunctionSettings(env: NodeJS.ProcessEnv): FunctionSettings {
  const pool = env.ENTREPOT_COGNITO_POOL
  return {
    config: {
      open: false,
      table: required(env, 'ENTREPOT_TABLE'),
      bucket: required(env, 'ENTREPOT_BUCKET'),
      secrets: required(env, 'ENTREPOT_SECRETS'),
      undoWindowDays: number(env, 'ENTREPOT_UNDO_WINDOW_DAYS', 7),
      pushGraceHours: number(env, 'ENTREPOT_PUSH_GRACE_HOURS', 24),
      blobLimitGiB: number(env, 'ENTREPOT_BLOB_LIMIT_GIB', 5120),
      auditLogDays: number(env, 'ENTREPOT_AUDIT_LOG_DAYS', 365),
      redirectBlobs: 'on',
      directUploads: switched(env, 'ENTREPOT_DIRECT_UPLOADS'),
      upstreamPrivateNetworks: env.ENTREPOT_UPSTREAM_PRIVATE_NETWORKS ?? '',
      edge: switched(env, 'ENTREPOT_EDGE'),
      ingest: switched(env, 'ENTREPOT_INGEST'),
      // HEAD of a blob is sent to S3, where the gateway would lose its length.
      redirectHeads: switched(env, 'ENTREPOT_REDIRECT_HEADS'),
      ...(pool === undefined
        ? {}
        : { cognitoPool: pool, cognitoClient: required(env, 'ENTREPOT_COGNITO_CLIENT') }),
    },
  }
}

function required(env: NodeJS.ProcessEnv, name: string): string {
  const value = env[name]
  if (!value) throw new Error(`environment variable ${name}: missing`)
  return value
}

function number(env: NodeJS.ProcessEnv, name: string, usual: number): number {
  const value = Number(env[name] ?? usual)
  if (!Number.isFinite(value) || value < 0)
    throw new Error(`environment variable ${name}: ${JSON.stringify(env[name])} is no number`)
  return value
}

function switched(env: NodeJS.ProcessEnv, name: string): 'on' | 'off' {
  const value = env[name] ?? 'off'
  if (value !== 'on' && value !== 'off')
    throw new Error(`environment variable ${name}: ${JSON.stringify(value)} is neither on nor off`)
  return value
}
