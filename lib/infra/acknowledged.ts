// What cdk-nag and CloudFormation's own checks find and we leave as it is, each with its reason. Whatever is not in here
// fails the synthesis.
import { type App, CfnResource, Validations } from 'aws-cdk-lib'
import { CfnPolicy } from 'aws-cdk-lib/aws-iam'
import { AwsSolutionsChecks, rules } from 'cdk-nag'
import type { IConstruct } from 'constructs'

const NAG = 'AwsSolutions::AwsSolutions-'

/** By the type of the resource. */
const BY_TYPE: Record<string, Record<string, string>> = {
  'AWS::S3::Bucket': {
    [`${NAG}S1`]:
      'each request is a line of the registry’s own log, with the principal; the bucket’s is a copy without',
  },
  'AWS::SecretsManager::Secret': {
    [`${NAG}SMG4`]:
      'the setup function rotates the keys on its schedule; the administrator’s password is the user’s',
  },
  'AWS::EC2::VPC': {
    [`${NAG}VPC7`]:
      'tasks take nothing but the load balancer’s requests, which are logged; flow logs cost more than they do',
  },
  'AWS::EC2::SecurityGroup': {
    [`${NAG}EC23`]:
      'the way in is port 80 from within the VPC, or 443 for clients where this is the front door',
  },
  'AWS::ECS::Cluster': {
    [`${NAG}ECS4`]: 'the registry counts what matters itself; Container Insights is billed by metric',
  },
  'AWS::ECS::TaskDefinition': {
    [`${NAG}ECS2`]: 'names of resources and settings; secrets are read from Secrets Manager by the program',
  },
  'AWS::ElasticLoadBalancingV2::LoadBalancer': {
    [`${NAG}ELB2`]:
      'the tasks log each request; paths of uploads hold permissions, which only the tasks’ log leaves out',
  },
  'AWS::ApiGatewayV2::Route': {
    [`${NAG}APIG4`]:
      'tokens are the registry’s own and verified by it; requests without the edge’s secret are refused',
  },
  'AWS::SQS::Queue': {
    [`${NAG}SQS3`]: 'it is where failed events go, of a stream and of rules, which the check does not see',
  },
  'AWS::CloudFront::Distribution': {
    [`${NAG}CFR1`]: 'whoever deploys knows from where clients come',
    [`${NAG}CFR2`]: 'a firewall’s rules are whoever deploys’; body rules would break uploads',
    [`${NAG}CFR3`]: 'paths of uploads hold permissions; the functions and tasks log without them',
    [`${NAG}CFR4`]:
      'CloudFront’s own certificate allows no other setting; with a domain it is TLS 1.2 and newer',
  },
  'AWS::Cognito::UserPool': {
    [`${NAG}COG1`]: 'twelve characters with capitals and digits; length is worth more than signs',
    [`${NAG}COG2`]: 'docker login knows no second factor',
    [`${NAG}COG3`]: 'is billed for every user; whoever wants it switches it on in a pool of their own',
    [`${NAG}COG8`]: 'is billed for every user; whoever wants it switches it on in a pool of their own',
  },
  'AWS::CloudFormation::CustomResource': {
    'CloudFormation-Validate::W9003': 'the construct library writes the timeout as text',
  },
}

/** Rights that name no single resource. */
const WILDCARDS: [RegExp, string][] = [
  [/^Resource::[^*]*\/b\/\*$/, 'every blob is below b/ and nothing else is'],
  [
    /^Resource::[^*]*:ecs:[^*]*:task\/[^*]*\/\*$/,
    'a task’s ARN is known only once it runs; the cluster is ours',
  ],
  [/^Resource::\*$/, 'X-Ray and the login to ECR know no resources'],
]

/** Has the application checked when it is synthesised, and acknowledges what is meant. */
export function check(app: App): void {
  for (const construct of app.node.findAll())
    if (construct instanceof CfnResource)
      for (const [id, reason] of Object.entries(BY_TYPE[construct.cfnResourceType] ?? {}))
        Validations.of(construct).acknowledge({ id, reason })
  Validations.of(app).addPlugins(new Checks(app))
}

class Checks extends AwsSolutionsChecks {
  /** What a right's resources are called is settled only now. */
  override validateScope(scope: IConstruct) {
    for (const construct of scope.node.findAll())
      if (construct instanceof CfnPolicy) acknowledgeWildcards(construct)
    return super.validateScope(scope)
  }
}

function acknowledgeWildcards(policy: CfnPolicy): void {
  const findings = rules.iam.IAMNoWildcardPermissions(policy)
  if (!Array.isArray(findings)) return
  for (const finding of findings) {
    const reason = WILDCARDS.find(([pattern]) => pattern.test(finding))?.[1]
    if (reason !== undefined) Validations.of(policy).acknowledge({ id: `${NAG}IAM5[${finding}]`, reason })
  }
}
