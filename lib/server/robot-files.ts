// Ready files for whoever uses a robot: they name it in the form that no shell, and no CI system, takes for a variable.

export const ROBOT_FILES = ['gitlab', 'github', 'kubernetes', 'docker'] as const
export type RobotFile = (typeof ROBOT_FILES)[number]

export interface RobotLogin {
  /** `host` or `host:port`, as image references have it. */
  registry: string
  /** `robot-team+ci` */
  name: string
  secret: string
  /** Where it pushes or pulls; absent when it is not one project. */
  project?: string
}

export function isRobotFile(name: string): name is RobotFile {
  return (ROBOT_FILES as readonly string[]).includes(name)
}

/** @returns the lines of the file */
export function robotFile(kind: RobotFile, login: RobotLogin): string[] {
  return WRITERS[kind](login)
}

/** For a POSIX shell: whatever it holds, it is one word and nothing in it is replaced. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** A string of YAML in single quotes, where only the quote itself means something. */
function yamlQuoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

function variablesNote({ name, secret }: RobotLogin, where: string): string[] {
  return [
    `# Set these two under ${where}:`,
    `#   HARBOR_ROBOT_USER   ${name}`,
    `#   HARBOR_ROBOT_TOKEN  ${secret}`,
    '# and delete these four lines before you commit the file: the secret is shown only now.',
  ]
}

function auths({ registry, name, secret }: RobotLogin): string {
  const auth = Buffer.from(`${name}:${secret}`).toString('base64')
  return JSON.stringify({ auths: { [registry]: { auth } } }, undefined, 2)
}

const WRITERS: Record<RobotFile, (login: RobotLogin) => string[]> = {
  gitlab: (login) => [
    ...variablesNote(login, 'Settings > CI/CD > Variables, masked'),
    'variables:',
    `  HARBOR_URL: ${yamlQuoted(login.registry)}`,
    `  HARBOR_PROJECT: ${yamlQuoted(login.project ?? 'library')}`,
    '',
    'build:',
    '  stage: build',
    '  script:',
    `    - docker login -u "\${HARBOR_ROBOT_USER}" -p "\${HARBOR_ROBOT_TOKEN}" \${HARBOR_URL}`,
    `    - docker build -t \${HARBOR_URL}/\${HARBOR_PROJECT}/myapp:\${CI_COMMIT_SHA} .`,
    `    - docker push \${HARBOR_URL}/\${HARBOR_PROJECT}/myapp:\${CI_COMMIT_SHA}`,
  ],
  github: (login) => [
    ...variablesNote(login, 'Settings > Secrets and variables > Actions'),
    `- name: Log in to ${login.registry}`,
    '  env:',
    `    HARBOR_ROBOT_USER: \${{ secrets.HARBOR_ROBOT_USER }}`,
    `    HARBOR_ROBOT_TOKEN: \${{ secrets.HARBOR_ROBOT_TOKEN }}`,
    '  run: >-',
    `    printf '%s' "$HARBOR_ROBOT_TOKEN" |`,
    `    docker login -u "$HARBOR_ROBOT_USER" --password-stdin ${shellQuoted(login.registry)}`,
  ],
  kubernetes: (login) => {
    const name = `pull-${login.name.replace(/[^a-z0-9.-]+/g, '-')}`
    return [
      '# kubectl apply -f this file, and name it in pods: imagePullSecrets: [{ name: … }]',
      'apiVersion: v1',
      'kind: Secret',
      'metadata:',
      `  name: ${yamlQuoted(name.slice(0, 253))}`,
      'type: kubernetes.io/dockerconfigjson',
      'data:',
      `  .dockerconfigjson: ${Buffer.from(auths(login)).toString('base64')}`,
    ]
  },
  docker: (login) => auths(login).split('\n'),
}
