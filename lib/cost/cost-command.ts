// npm run cost: a table for people, or JSON, of what a month costs.
import { parseArgs } from 'node:util'
import { type CloudConfig, cloudSchema } from '../config/cloud.ts'
import { ConfigError } from '../config/config.ts'
import { readDeployment } from '../config/deployment.ts'
import { PRICES, PRICES_OF } from './prices.ts'
import { costSheet, type Deployment, idleSheet, type Sheet, type Use } from './sheet.ts'

const OPTIONS = {
  pushes: { type: 'string', default: '0' },
  pulls: { type: 'string', default: '0' },
  'gib-stored': { type: 'string', default: '0' },
  'gib-pulled': { type: 'string', default: '0' },
  'gib-pushed': { type: 'string' },
  blobs: { type: 'string', default: '4' },
  'streamed-share': { type: 'string' },
  'inside-share': { type: 'string', default: '0' },
  region: { type: 'string', default: 'us-east-1' },
  config: { type: 'string' },
  'front-door': { type: 'string' },
  ingest: { type: 'string' },
  'private-networking': { type: 'boolean' },
  'allowances-used-up': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

const USAGE = `npm run cost -- [flags], all of a month

  --pushes N, --pulls N      of images
  --gib-stored N             in the bucket, deleted objects of the last 35 days among them
  --gib-pulled N             by clients; --inside-share 0..1 of it from within the region, which is free
  --gib-pushed N             0.1 a push when absent
  --blobs N                  of an image, its configuration among them; 4 when absent
  --streamed-share 0..1      uploads by docker 28 and older, podman, skopeo, crane; a half when absent, none without ingest
  --region NAME              ${Object.keys(PRICES).join(', ')}
  --config FILE              of the deployment; entrepot.yaml, if there is one, when absent
  --front-door cloudfront|alb, --ingest off|TASKS, --private-networking
                             instead of what the configuration says
  --allowances-used-up       the account's free amounts serve something else
  --json`

const GIB_A_PUSH = 0.1
const STREAMED_SHARE = 0.5

const NOTES = [
  'Assumed: functions take 25 ms, 150 with a password; 1 KiB of log a request; the fewest ingest tasks all month.',
  'Left out: more ingest tasks under load, storage of metadata and logs, images in ECR, start-up of functions, support, tax.',
]

type Flags = ReturnType<typeof parseFlags>['values']

/** @throws Error about its arguments, ConfigError about the configuration */
export function costCommand(args: string[], print: (line: string) => void): void {
  const { values } = parseFlags(args)
  if (values.help) {
    print(USAGE)
    return
  }
  const prices = PRICES[values.region]
  if (!prices)
    throw new Error(`no prices of ${values.region} are here; known: ${Object.keys(PRICES).join(', ')}`)
  const cloud = cloudOf(values)
  const deployment: Deployment = { cloud, prices, allowances: !values['allowances-used-up'] }
  const use = useOf(values, cloud)
  const [month, idle] = [costSheet(use, deployment), idleSheet(use, deployment)]
  if (values.json) print(JSON.stringify({ pricesOf: PRICES_OF, use, month, idle }, undefined, 2))
  else for (const line of tableOf(month, idle, values.region)) print(line)
}

function parseFlags(args: string[]) {
  return parseArgs({ args, options: OPTIONS })
}

function cloudOf(values: Flags): CloudConfig {
  const { cloud } = readDeployment(values.config)
  const frontDoor = values['front-door'] ?? cloud.frontDoor
  const ingest = ingestOf(values.ingest, cloud)
  const privateNetworking = values['private-networking'] ?? cloud.privateNetworking
  // What a load balancer's name is does not matter to its price.
  const domain = cloud.domain ?? { name: 'registry.example', certificateArn: 'arn:aws:acm:' }
  const parsed = cloudSchema.safeParse({ ...cloud, frontDoor, ingest, privateNetworking, domain })
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new ConfigError(`${issue!.path.join('.')}: ${issue!.message}`)
  }
  return parsed.data
}

function ingestOf(asked: string | undefined, { ingest }: CloudConfig): unknown {
  if (asked === undefined) return ingest
  if (asked === 'off') return 'off'
  const min = amountOf('ingest', asked)
  return { ...(ingest === 'off' ? {} : ingest), min, max: Math.max(min, ingest === 'off' ? 4 : ingest.max) }
}

function useOf(values: Flags, { frontDoor, ingest, directUploads }: CloudConfig): Use {
  const pushes = amountOf('pushes', values.pushes)
  const pushed = values['gib-pushed']
  const all = frontDoor === 'alb' || directUploads === 'off'
  const usual = all ? 1 : ingest === 'off' ? 0 : STREAMED_SHARE
  const asked = values['streamed-share']
  const streamedShare = asked === undefined ? usual : shareOf('streamed-share', asked)
  if (ingest === 'off' && streamedShare > 0)
    throw new Error('streamed-share: without ingest tasks nothing can be streamed; leave one of them out')
  return {
    pushes,
    pulls: amountOf('pulls', values.pulls),
    gibStored: amountOf('gib-stored', values['gib-stored']),
    gibPulled: amountOf('gib-pulled', values['gib-pulled']),
    gibPushed: pushed === undefined ? pushes * GIB_A_PUSH : amountOf('gib-pushed', pushed),
    blobs: amountOf('blobs', values.blobs),
    streamedShare: all ? 1 : streamedShare,
    insideShare: shareOf('inside-share', values['inside-share']),
  }
}

function amountOf(flag: string, text: string): number {
  const amount = Number(text)
  if (text.trim() === '' || !Number.isFinite(amount) || amount < 0)
    throw new Error(`--${flag} is ${JSON.stringify(text)}: expected a number, 0 or more`)
  return amount
}

function shareOf(flag: string, text: string): number {
  const share = amountOf(flag, text)
  if (share > 1) throw new Error(`--${flag} is ${text}: expected a share from 0 to 1`)
  return share
}

function tableOf(month: Sheet, idle: Sheet, region: string): string[] {
  const row = (what: string, amount: string, ...columns: string[]) =>
    `${what.padEnd(24)}${amount.padEnd(44)}${columns.map((each) => each.padStart(12)).join('')}`.trimEnd()
  const dollars = (usd: number) => usd.toFixed(2)
  return [
    `US dollars a month in ${region}, at the prices of ${PRICES_OF}; ~ has a price nobody has read in AWS's list`,
    '',
    row('', '', 'month', 'idle'),
    ...month.lines.map(({ what, amount, usd, unread }, index) =>
      row(`${unread ? '~ ' : '  '}${what}`, amount, dollars(usd), dollars(idle.lines[index]!.usd)),
    ),
    row('  total', '', dollars(month.total), dollars(idle.total)),
    '',
    ...NOTES,
  ]
}
