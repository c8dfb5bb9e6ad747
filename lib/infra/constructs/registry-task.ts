// A Fargate task of the registry: arm64, one container, a root file system nobody writes to.
import {
  type ContainerImage,
  CpuArchitecture,
  FargateTaskDefinition,
  type LogDriver,
  OperatingSystemFamily,
  type PortMapping,
  type Secret,
} from 'aws-cdk-lib/aws-ecs'
import type { Construct } from 'constructs'

export interface RegistryTaskProps {
  cpu: number
  memoryMiB: number
  image: ContainerImage
  /** The program: a file of bin/. */
  name: 'ingest' | 'worker'
  environment: Record<string, string>
  secrets?: Record<string, Secret>
  logging: LogDriver
  port?: PortMapping
}

/** Left to the kernel and to Node's own memory besides the heap. */
const OUTSIDE_HEAP_MIB = 512

export function registryTask(scope: Construct, id: string, props: RegistryTaskProps): FargateTaskDefinition {
  const { cpu, memoryMiB, image, name, environment, secrets = {}, logging, port } = props
  const task = new FargateTaskDefinition(scope, id, {
    cpu,
    memoryLimitMiB: memoryMiB,
    runtimePlatform: {
      cpuArchitecture: CpuArchitecture.ARM64,
      operatingSystemFamily: OperatingSystemFamily.LINUX,
    },
  })
  task.addContainer('main', {
    image,
    entryPoint: ['node'],
    command: [`bin/${name}.ts`],
    environment: {
      AWS_SDK_UA_APP_ID: `entrepot-${name}`, // named in CloudTrail beside every call
      ...environment,
      NODE_OPTIONS: `--max-old-space-size=${Math.max(256, memoryMiB - OUTSIDE_HEAP_MIB)}`,
    },
    secrets,
    logging,
    readonlyRootFilesystem: true,
    ...(port ? { portMappings: [port] } : {}),
  })
  return task
}
