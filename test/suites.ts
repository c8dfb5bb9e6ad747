// Every suite of the project: what it runs, what it needs, and when it runs.

export interface Suite {
  name: string
  /** Folder or files given to vitest. */
  files: string[]
  /** Programs that must be on PATH or in tools/bin; without them the suite is skipped and named. */
  needs: string[]
  /** `default` runs in `npm test`; `ci` also in `.ci/run`; `all` only in `npm run test:all` or by name. */
  when: 'default' | 'ci' | 'all'
  env?: Record<string, string>
}

export const SUITES: Suite[] = [
  { name: 'unit', files: ['test/unit'], needs: [], when: 'default' },
  { name: 'property', files: ['test/property'], needs: [], when: 'default' },
  { name: 'contract', files: ['test/contract'], needs: [], when: 'default' },
  { name: 'api', files: ['test/api'], needs: [], when: 'default' },
  { name: 'cli', files: ['test/cli'], needs: [], when: 'default' },
  { name: 'model', files: ['test/model'], needs: [], when: 'default' },
]
