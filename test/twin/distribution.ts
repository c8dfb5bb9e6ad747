// The distribution as it is synthesised: behaviours, functions, what happens to errors.
import { readFileSync } from 'node:fs'
import path from 'node:path'

export interface Behaviour {
  PathPattern?: string
  TargetOriginId: string
  ViewerProtocolPolicy: string
  AllowedMethods: string[]
  FunctionAssociations?: { EventType: string; FunctionARN: { 'Fn::GetAtt': [string, string] } }[]
}

export interface Distribution {
  Origins: { Id: string; OriginCustomHeaders?: { HeaderName: string }[] }[]
  DefaultCacheBehavior: Behaviour
  CacheBehaviors: Behaviour[]
  CustomErrorResponses?: { ErrorCode: number; ErrorCachingMinTTL?: number }[]
}

export interface Edge {
  distribution: Distribution
  /** Code by the function's logical id. */
  functions: Record<string, string>
}

interface Template {
  Resources: Record<string, { Type: string; Properties: Record<string, unknown> }>
}

/** @param directory of the cloud assembly */
export function readEdge(directory: string): Edge {
  const { Resources } = readTemplate(directory, 'edge')
  const functions: Record<string, string> = {}
  let distribution: Distribution | undefined
  for (const [id, { Type, Properties }] of Object.entries(Resources)) {
    if (Type === 'AWS::CloudFront::Function') functions[id] = Properties.FunctionCode as string
    if (Type === 'AWS::CloudFront::Distribution') distribution = Properties.DistributionConfig as Distribution
  }
  return { distribution: distribution!, functions }
}

/** @param stack its short name */
export function readTemplate(directory: string, stack: string): Template {
  return JSON.parse(readFileSync(path.join(directory, `entrepot-${stack}.template.json`), 'utf8'))
}

/** The first behaviour whose pattern fits, as CloudFront chooses. */
export function behaviourFor({ CacheBehaviors, DefaultCacheBehavior }: Distribution, uri: string): Behaviour {
  return CacheBehaviors.find(({ PathPattern }) => matches(PathPattern!, uri)) ?? DefaultCacheBehavior
}

function matches(pattern: string, uri: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${source}$`).test(uri)
}
