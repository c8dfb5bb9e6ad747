// The rule that the construct makes, as a template has it.
import { App, Stack } from 'aws-cdk-lib'
import { Template } from 'aws-cdk-lib/assertions'
import { EventBus } from 'aws-cdk-lib/aws-events'
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets'
import { Queue } from 'aws-cdk-lib/aws-sqs'
import { OnPush } from '../../lib/infra/constructs/on-push.ts'

/** Properties of the rule in a stack of somebody else's. */
export function onPushRule(repository: string, tag: string): Record<string, unknown> {
  const stack = new Stack(new App(), 'Somebody')
  const bus = EventBus.fromEventBusName(stack, 'Bus', 'entrepot')
  const target = new SqsQueue(new Queue(stack, 'Queue'))
  new OnPush(stack, 'OnPush', { bus, repository, tag, target })
  const [rule] = Object.values(Template.fromStack(stack).findResources('AWS::Events::Rule'))
  return rule!.Properties as Record<string, unknown>
}
