// Something that happens whenever an image is pushed: a build, a deployment, a scan.
import { type IEventBus, type IRuleTarget, Match, Rule } from 'aws-cdk-lib/aws-events'
import { Construct } from 'constructs'

export interface OnPushProps {
  /** The registry's bus, `EventBus.fromEventBusName(this, 'Bus', 'entrepot')` in an app of one's own. */
  bus: IEventBus
  /** The whole name, in which `*` stands for anything: `library/app`, `team/*`. */
  repository: string
  /** In which `*` stands for anything: `v*`; `*` for all tags, and no push without one. */
  tag: string
  target: IRuleTarget
}

export class OnPush extends Construct {
  readonly rule: Rule

  constructor(scope: Construct, id: string, { bus, repository, tag, target }: OnPushProps) {
    super(scope, id)
    this.rule = new Rule(this, 'Rule', {
      eventBus: bus,
      description: `Pushes of ${repository}:${tag}`,
      eventPattern: {
        source: ['entrepot'],
        // A new image, or a tag that a push moved to one that was there.
        detailType: ['Artifact Pushed', 'Tag Moved'],
        detail: {
          data: {
            cause: ['push'],
            repository: Match.wildcard(repository),
            tags: Match.wildcard(tag),
          },
        },
      },
      targets: [target],
    })
  }
}
