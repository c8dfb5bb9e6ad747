// What is different about the registries of the world, as data; docs/providers.md says where each line comes from.

export interface Provider {
  /** As Harbor's API calls it. */
  type: string
  description: string
  /** `challenge`: whatever its 401 asks for. `ecr`: a password of twelve hours that AWS gives for a signed request. */
  auth: 'challenge' | 'ecr'
  /** Hosts that people know it by -> the host that speaks the registry protocol. */
  hosts?: Record<string, string>
  /** Images without a namespace are in this one. */
  officialNamespace?: string
  /** What to offer for the URL. `standard`: whatever people type. */
  endpoints: { type: 'standard' | 'fix' | 'list'; choices: { key: string; value: string }[] }
  /** A login that has a fixed name, or whose secret is a file. */
  credential?: { accessKey: string; secret: 'file' | 'password' }
  /** Whether `/v2/_catalog` lists repositories. */
  catalog: boolean
}

const ECR_REGIONS =
  'us-east-2 us-east-1 us-west-1 us-west-2 af-south-1 ap-east-1 ap-east-2 ap-south-1 ap-south-2 ap-northeast-3 ' +
  'ap-northeast-2 ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-6 ' +
  'ap-southeast-7 ap-northeast-1 ca-central-1 ca-west-1 cn-north-1 cn-northwest-1 eu-central-1 eu-central-2 ' +
  'eu-west-1 eu-west-2 eu-south-1 eu-south-2 eu-west-3 eu-north-1 il-central-1 me-south-1 me-central-1 mx-central-1 ' +
  'sa-east-1 us-gov-east-1 us-gov-west-1'

const anyUrl: Provider['endpoints'] = { type: 'standard', choices: [] }

export const PROVIDERS: Provider[] = [
  {
    type: 'docker-registry',
    description: 'any registry that speaks the OCI distribution protocol',
    auth: 'challenge',
    endpoints: anyUrl,
    catalog: true,
  },
  {
    type: 'harbor',
    description: 'Harbor, and Entrepôt',
    auth: 'challenge',
    endpoints: anyUrl,
    catalog: true,
  },
  {
    type: 'docker-hub',
    description: 'Docker Hub',
    auth: 'challenge',
    hosts: {
      'hub.docker.com': 'registry-1.docker.io',
      'docker.io': 'registry-1.docker.io',
      'index.docker.io': 'registry-1.docker.io',
    },
    officialNamespace: 'library',
    endpoints: fixed('hub.docker.com'),
    catalog: false,
  },
  {
    type: 'github-ghcr',
    description: 'GitHub Container Registry',
    auth: 'challenge',
    endpoints: fixed('ghcr.io'),
    catalog: false,
  },
  {
    type: 'quay',
    description: 'Quay',
    auth: 'challenge',
    endpoints: anyUrl,
    credential: { accessKey: 'json_file', secret: 'file' },
    catalog: false,
  },
  {
    type: 'aws-ecr',
    description: 'Amazon ECR and ECR Public',
    auth: 'ecr',
    endpoints: {
      type: 'list',
      choices: [
        ...ECR_REGIONS.split(' ').map((region) => ({
          key: region,
          value: `https://api.ecr.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`,
        })),
        { key: 'public', value: 'https://public.ecr.aws' },
      ],
    },
    catalog: true,
  },
  {
    type: 'azure-acr',
    description: 'Azure Container Registry',
    auth: 'challenge',
    endpoints: anyUrl,
    catalog: true,
  },
  {
    type: 'google-gcr',
    description: 'Google Artifact Registry and Container Registry',
    auth: 'challenge',
    endpoints: {
      type: 'list',
      choices: ['gcr.io', 'us.gcr.io', 'eu.gcr.io', 'asia.gcr.io'].map((host) => ({
        key: host,
        value: `https://${host}`,
      })),
    },
    credential: { accessKey: '_json_key', secret: 'file' },
    catalog: true,
  },
  { type: 'gitlab', description: 'GitLab’s registry', auth: 'challenge', endpoints: anyUrl, catalog: false },
  {
    type: 'jfrog-artifactory',
    description: 'JFrog Artifactory',
    auth: 'challenge',
    endpoints: anyUrl,
    catalog: true,
  },
]

export function providerOf(type: string): Provider | undefined {
  return PROVIDERS.find((provider) => provider.type === type)
}

/** Where the protocol is spoken for a URL that people know the registry by. */
export function protocolUrl({ hosts }: Provider, url: string): URL {
  const parsed = new URL(url)
  const host = hosts?.[parsed.hostname]
  if (host !== undefined) parsed.hostname = host
  return parsed
}

/** A repository's full name there: `nginx` is `library/nginx` on Docker Hub. */
export function repositoryAt({ officialNamespace }: Provider, name: string): string {
  return officialNamespace === undefined || name.includes('/') ? name : `${officialNamespace}/${name}`
}

/**
 * Quay's secret may be the JSON file that Harbor takes for it, with the name and password inside.
 * @returns name and password as the protocol takes them
 */
export function loginOf(
  { type }: Provider,
  accessKey: string,
  secret: string,
): { name: string; password: string } | undefined {
  if (accessKey === '' && secret === '') return undefined
  if (type === 'quay' && secret.startsWith('{'))
    try {
      const file = JSON.parse(secret) as { account_name?: unknown; docker_cli_password?: unknown }
      if (typeof file.account_name === 'string' && typeof file.docker_cli_password === 'string')
        return { name: file.account_name, password: file.docker_cli_password }
    } catch {
      // then it is a password that begins with a brace
    }
  return { name: accessKey, password: secret }
}

function fixed(host: string): Provider['endpoints'] {
  return { type: 'fix', choices: [{ key: host, value: `https://${host}` }] }
}
