// Resource types that MiniStack does not know, and what does their work in the twin.

export const STAND_INS: Record<string, string> = {
  'AWS::ApplicationAutoScaling::ScalableTarget': 'nothing: the twin runs as many tasks as it is told',
  'AWS::ApplicationAutoScaling::ScalingPolicy': 'nothing',
  'AWS::CloudFront::VpcOrigin': 'the edge reaches the tasks on loopback',
  'AWS::EC2::SecurityGroupEgress': 'nothing: everything is on loopback',
  'AWS::EC2::SecurityGroupIngress': 'nothing',
}
