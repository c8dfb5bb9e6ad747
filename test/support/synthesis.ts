// The application synthesised in this process, and its templates with every reference filled in.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { App } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import type { CfnFunction } from 'aws-cdk-lib/aws-lambda'
import { cloudSchema } from '../../lib/config/cloud.ts'
import { configSchema } from '../../lib/config/schema.ts'
import { check } from '../../lib/infra/acknowledged.ts'
import { buildRegistry, type RegistryStacks } from '../../lib/infra/registry-app.ts'

const root = path.resolve(import.meta.dirname, '../..')
export const ENV = { account: '111122223333', region: 'eu-central-1' }

export interface Resource {
  Type: string
  Properties: Record<string, unknown>
  DeletionPolicy?: string
  UpdateReplacePolicy?: string
}

interface TemplateJson {
  Resources: Record<string, Resource>
  Outputs?: Record<string, { Value: unknown; Export?: { Name: unknown } }>
}

export interface Synthesis {
  stacks: RegistryStacks
  /** By the stack's short name, references filled in. */
  resources: Record<string, Record<string, Resource>>
  /** What whoever deploys is told, by the stack's short name; references filled in. */
  outputs: Record<string, Record<string, unknown>>
  /** All of one type, in all stacks. */
  ofType(type: string): Resource[]
}

/** The bundles of the functions by their handler's name, in a directory that the caller removes. */
export function bundle(outdir: string): Record<string, string> {
  const app = appFor(outdir, { 'aws:cdk:enable-asset-metadata': true })
  const { api, events, edge } = buildRegistry(app, configSchema.parse({}), cloudSchema.parse({}), ENV)
  const functions = {
    ...api!.functions,
    relay: events.relay,
    jobs: events.jobs,
    setup: events.setup,
    probe: edge!.probeFunction,
  }
  check(app)
  app.synth()
  return Object.fromEntries(
    Object.entries(functions).map(([name, each]) => {
      const { metadata } = (each.node.defaultChild as CfnFunction).cfnOptions
      return [name, path.join(outdir, metadata!['aws:asset:path'], 'index.mjs')]
    }),
  )
}

function appFor(outdir: string, context: Record<string, unknown> = {}): App {
  const { context: flags } = JSON.parse(readFileSync(path.join(root, 'cdk.json'), 'utf8'))
  return new App({ outdir, context: { ...flags, ...context }, analyticsReporting: false })
}

/** Without bundling: the functions' code is not in the templates. */
export function synthesise(cloud: Record<string, unknown> = {}): Synthesis {
  const outdir = mkdtempSync(path.join(tmpdir(), 'entrepot-synth-'))
  try {
    return synthesiseTo(outdir, cloud)
  } finally {
    rmSync(outdir, { recursive: true })
  }
}

function synthesiseTo(outdir: string, cloud: Record<string, unknown>): Synthesis {
  const app = appFor(outdir, { 'aws:cdk:bundling-stacks': [] })
  const stacks = buildRegistry(app, configSchema.parse({}), cloudSchema.parse(cloud), ENV)
  check(app)
  const json: Record<string, TemplateJson> = {}
  for (const [name, stack] of Object.entries(stacks))
    if (stack) json[name] = Template.fromStack(stack).toJSON() as TemplateJson
  const exported = new Map<string, unknown>()
  for (const template of Object.values(json))
    for (const { Value, Export } of Object.values(template.Outputs ?? {}))
      if (Export) exported.set(String(fill(Export.Name, template, exported)), fill(Value, template, exported))
  const resources = Object.fromEntries(
    Object.entries(json).map(([name, template]) => [
      name,
      fill(template.Resources, template, exported) as Record<string, Resource>,
    ]),
  )
  const outputs = Object.fromEntries(
    Object.entries(json).map(([name, template]) => [
      name,
      Object.fromEntries(
        Object.entries(template.Outputs ?? {})
          .filter(([, { Export }]) => Export === undefined)
          .map(([key, { Value }]) => [key, fill(Value, template, exported)]),
      ),
    ]),
  )
  return {
    stacks,
    resources,
    outputs,
    ofType: (type) =>
      Object.values(resources).flatMap((each) => Object.values(each).filter(({ Type }) => Type === type)),
  }
}

const PSEUDO: Record<string, string> = {
  'AWS::AccountId': ENV.account,
  'AWS::Region': ENV.region,
  'AWS::Partition': 'aws',
  'AWS::URLSuffix': 'amazonaws.com',
}

/** Every reference becomes a text of the same shape as AWS would give. */
function fill(value: unknown, template: TemplateJson, exported: Map<string, unknown>): unknown {
  const again = (each: unknown) => fill(each, template, exported)
  if (Array.isArray(value)) return value.map(again)
  if (value === null || typeof value !== 'object') return value
  const [name, argument] = Object.entries(value)[0] ?? ['', undefined]
  if (Object.keys(value).length === 1) {
    if (name === 'Ref') return PSEUDO[argument as string] ?? refOf(argument as string, template)
    if (name === 'Fn::GetAtt') {
      const [id, attribute] = argument as [string, string]
      return attribute === 'Arn' || attribute.endsWith('Arn') ? arnOf(id, template) : `${id}.${attribute}`
    }
    if (name === 'Fn::ImportValue') return exported.get(String(again(argument))) ?? argument
    if (name === 'Fn::Join') {
      const [by, parts] = argument as [string, unknown[]]
      return parts.map(again).join(by)
    }
    if (name === 'Fn::Select') {
      const [index, parts] = argument as [number, unknown]
      return (again(parts) as string[])[index]
    }
    if (name === 'Fn::Split') {
      const [by, text] = argument as [string, unknown]
      return String(again(text)).split(by)
    }
    if (name === 'Fn::Sub') return again(argument)
    if (name === 'Fn::GetAZs') return ['a', 'b', 'c']
  }
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, again(each)]))
}

/** What `Ref` gives: a name mostly, an ARN of secrets, a URL of queues. */
function refOf(id: string, template: TemplateJson): string {
  const type = template.Resources[id]?.Type
  if (type === 'AWS::SecretsManager::Secret') return arnOf(id, template)
  return id
}

function arnOf(id: string, template: TemplateJson): string {
  const service = template.Resources[id]?.Type.split('::')[1]?.toLowerCase() ?? 'unknown'
  if (service === 's3') return `arn:aws:s3:::${id}`
  if (service === 'dynamodb') return `arn:aws:dynamodb:${ENV.region}:${ENV.account}:table/${id}`
  return `arn:aws:${service}:${ENV.region}:${ENV.account}:${id}`
}
