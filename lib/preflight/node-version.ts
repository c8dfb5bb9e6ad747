// Whether this Node runs what the deployment is made of: TypeScript without a build.
import type { Finding } from './finding.ts'

/** Also what the functions run on. */
const MAJOR = 24

/** @param version as in process.versions.node */
export function checkNodeVersion(version: string): Finding {
  const check = 'node'
  if (Number.parseInt(version, 10) >= MAJOR) return { check, status: 'ok', found: version }
  const todo = `npm ci brings Node ${MAJOR}: run it, and cdk with npm run cdk -- or npx cdk`
  return { check, status: 'fail', found: `${version}, ${MAJOR} is needed`, todo }
}
