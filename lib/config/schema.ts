// What can be configured: one schema for the file, the environment, the command line, and later the cloud stacks.
import * as z from 'zod'
import { cloudSchema } from './cloud.ts'
import { scannerSchema } from './scanner.ts'

const NETWORKS = 'expected networks such as 10.1.0.0/16, with commas between them, or all'
const filePath = z.string().min(1, 'expected a file name')

export const configSchema = z.strictObject({
  port: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .default(5050)
    .describe('port to listen on; 0 takes a free one'),
  host: z.string().min(1).optional().describe('address to listen on; 127.0.0.1 and ::1 when absent'),
  data: z.string().min(1).default('data').describe('directory that holds everything'),
  stores: z.enum(['local', 'aws']).default('local').describe('local: files and SQLite; aws: S3 and DynamoDB'),
  bucket: z.string().min(3).optional().describe('S3 bucket, with --stores aws'),
  table: z.string().min(3).optional().describe('DynamoDB table, with --stores aws'),
  secrets: z.string().min(1).optional().describe('Secrets Manager secret or file:PATH, with --stores aws'),
  open: flag().default(false).describe('no login, projects made on push; loopback only, for labs and tests'),
  tlsCert: filePath.optional().describe('PEM file with the certificate chain; serves HTTPS'),
  tlsKey: filePath.optional().describe('PEM file with its private key'),
  tlsCa: filePath
    .optional()
    .describe('PEM file of the private authority that signed it, for people to download and trust'),
  redirectHttp: z.coerce
    .number()
    .int()
    .min(0)
    .max(65_535)
    .optional()
    .describe('port that redirects plain HTTP to HTTPS'),
  externalUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('URL clients use, where a proxy stands in front'),
  trustedProxies: z.coerce
    .number()
    .int()
    .min(0)
    .max(10)
    .default(0)
    .describe('proxies in front, whose X-Forwarded-For tells the client’s address; 0: it is not believed'),
  keepAliveSeconds: z.coerce
    .number()
    .int()
    .min(1)
    .max(86_400)
    .default(75)
    .describe('seconds a connection may wait for its next request; longer than a balancer in front lets it'),
  undoWindowDays: z.coerce
    .number()
    .min(0)
    .max(3650)
    .default(7)
    .describe('days a deletion can be undone; 0 for never'),
  pushGraceHours: z.coerce
    .number()
    .min(24)
    .max(8760)
    .default(24)
    .describe('hours an unreferenced upload is kept'),
  sweepEveryHours: z.coerce
    .number()
    .min(0)
    .max(8760)
    .default(6)
    .describe('hours between sweeps; 0 for never'),
  auditLogDays: z.coerce
    .number()
    .int()
    .min(1)
    .max(36_500)
    .default(365)
    .describe('days an entry of the audit log is kept'),
  blobLimitGiB: z.coerce.number().positive().max(5120).default(5120).describe('largest blob accepted'),
  edge: z
    .enum(['on', 'off'])
    .default('off')
    .describe('requests come through the edge of the cloud, and only through it'),
  redirectHeads: z
    .enum(['on', 'off'])
    .default('off')
    .describe('send HEAD of a blob to S3 too, behind a gateway that loses its length'),
  background: z
    .enum(['on', 'off'])
    .default('on')
    .describe('relay events and sweep in this process; off where other processes do'),
  directUploads: z
    .enum(['on', 'off'])
    .default('off')
    .describe('whether clients may put blobs into S3 past this process, as the edge lets them'),
  redirectBlobs: z
    .enum(['on', 'off'])
    .default('on')
    .describe('whether pulls of blobs are sent to S3 itself, with --stores aws'),
  cognitoPool: z
    .string()
    .regex(/^[\w-]+_[0-9a-zA-Z]+$/, 'expected a pool id such as eu-west-1_Ab1Cd2Ef3')
    .optional()
    .describe('Cognito user pool whose users log in too'),
  cognitoClient: z
    .string()
    .min(1)
    .optional()
    .describe('its app client, without a secret, that allows ALLOW_ADMIN_USER_PASSWORD_AUTH'),
  upstreamPrivateNetworks: z
    .string()
    .regex(/^$|^(all|[0-9a-fA-F:.]+(\/\d{1,3})?)(\s*,\s*(all|[0-9a-fA-F:.]+(\/\d{1,3})?))*$/, NETWORKS)
    .default('')
    .describe('private addresses that other registries and webhooks may have: 10.1.0.0/16,fd00::/8 or all'),
  ...scannerSchema,
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  logTo: z.enum(['file', 'stdout']).default('file').describe('file is <data>/logs/entrepot.jsonl'),
  cloud: cloudSchema.optional().describe('what only the cloud stacks read'),
  adminPassword: z.string().min(8, 'expected at least 8 characters').optional(),
})

export type Config = z.infer<typeof configSchema>
export type ConfigKey = keyof Config

/** Flags are written many ways in files and environments. */
function flag() {
  return z
    .union([z.boolean(), z.enum(['true', 'false', '1', '0', ''])])
    .transform((value) => value === true || value === 'true' || value === '1')
}
