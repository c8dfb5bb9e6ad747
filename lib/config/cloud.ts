// The part of the configuration that only the cloud stacks read.
import * as z from 'zod'

const FARGATE_CPU = [256, 512, 1024, 2048, 4096, 8192, 16384] as const
const LOG_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731] as const

function oneOf<const Values extends readonly number[]>(values: Values) {
  return z
    .number()
    .refine(
      (value): value is Values[number] => values.includes(value),
      `expected one of ${values.join(', ')}`,
    )
}

const taskSize = {
  cpu: oneOf(FARGATE_CPU).default(1024).describe('CPU units of a task, 1024 to the vCPU'),
  memoryMiB: z.number().int().min(512).max(122_880).default(3072).describe('memory of a task'),
}

const fields = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,30}$/, 'expected lowercase letters, digits and -, at most 31')
    .default('entrepot')
    .describe('names the stacks and what is in them'),
  frontDoor: z
    .enum(['cloudfront', 'alb'])
    .default('cloudfront')
    .describe('cloudfront: the edge and functions; alb: one load balancer and tasks, for private networks'),
  domain: z
    .strictObject({
      name: z.string().min(3).describe('host name clients use'),
      certificateArn: z
        .string()
        .regex(/^arn:aws[a-z-]*:acm:/, 'expected the ARN of a certificate in ACM')
        .describe('in us-east-1 for cloudfront, in the stack’s region for alb'),
    })
    .optional()
    .describe('without one, clients use the name CloudFront gives'),
  ingest: z
    .union([
      z.literal('off'),
      z.strictObject({
        min: z.number().int().min(1).max(100).default(1),
        max: z.number().int().min(1).max(100).default(4),
        ...taskSize,
      }),
    ])
    .prefault({})
    .describe(
      'tasks that take streamed pushes (docker 28 and older, podman, skopeo, crane); off: they are refused',
    ),
  directUploads: z
    .enum(['on', 'off'])
    .default('on')
    .describe('whole blobs straight into S3, once the deployment has seen S3 refuse a wrong digest'),
  workers: z
    .strictObject({ max: z.number().int().min(1).max(100).default(2), ...taskSize })
    .prefault({})
    .describe('tasks for sweeps, scans and replication; none run while there is nothing to do'),
  image: z
    .string()
    .min(3)
    .optional()
    .describe('container image of the tasks; built from the Dockerfile when absent'),
  privateNetworking: z
    .boolean()
    .default(false)
    .describe('tasks without public addresses, with interface endpoints (about 88 USD a month)'),
  trust: z.string().optional().describe('directory of PEM files: authorities of upstreams and directories'),
  cognito: z
    .union([
      z.literal('off'),
      z
        .strictObject({ pool: z.string().min(3).optional(), client: z.string().min(1).optional() })
        .refine(
          ({ pool, client }) => (pool === undefined) === (client === undefined),
          'pool and client belong together: give both of a pool that exists, or neither for a new one',
        ),
    ])
    .default('off')
    .describe('users of a Cognito pool log in too: {} makes a pool, {pool, client} takes one that exists'),
  logRetentionDays: oneOf(LOG_DAYS).default(90),
  alarmEmail: z.email().optional().describe('told of alarms'),
  keep: z.boolean().default(true).describe('table, bucket and secrets stay when the stacks are deleted'),
})

export const cloudSchema = fields.superRefine(({ frontDoor, domain, ingest, directUploads }, context) => {
  if (frontDoor !== 'alb') {
    if (ingest === 'off' && directUploads === 'off')
      context.addIssue({
        code: 'custom',
        path: ['ingest'],
        message: 'ingest and directUploads cannot both be off, because then no blob can be pushed',
      })
    return
  }
  if (!domain)
    context.addIssue({
      code: 'custom',
      path: ['domain'],
      message: 'needed with frontDoor: alb, because clients talk HTTPS to the load balancer by that name',
    })
  if (ingest === 'off')
    context.addIssue({
      code: 'custom',
      path: ['ingest'],
      message: 'cannot be off with frontDoor: alb, whose tasks are the registry',
    })
})

export type CloudConfig = z.infer<typeof cloudSchema>
