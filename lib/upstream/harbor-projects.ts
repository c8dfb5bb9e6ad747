// Projects of a Harbor, or of another Entrepôt, that is copied to: made where there is none, as Harbor does for its own.
import type { Upstream } from './upstream.ts'
import { UpstreamError } from './upstream-error.ts'

const PROJECTS = '/api/v2.0/projects'

/**
 * @param isPublic asked only when it is made
 * @returns whether it was made just now: false where it is there, where the other side is no Harbor, or does not let us
 */
export async function makeHarborProject(
  upstream: Upstream,
  project: string,
  isPublic: () => Promise<boolean>,
): Promise<boolean> {
  if (upstream.provider.type !== 'harbor') return false
  const { exchange } = upstream
  const common = { scope: '', basic: true }
  try {
    const query = new URLSearchParams({ project_name: project })
    const known = await exchange.send({
      ...common,
      method: 'HEAD',
      path: `${PROJECTS}?${query}`,
      expected: [404],
    })
    known.discard()
    if (known.status !== 404) return false
    const made = await exchange.send({
      ...common,
      method: 'POST',
      path: PROJECTS,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ project_name: project, metadata: { public: String(await isPublic()) } }),
      // Somebody else was faster.
      expected: [409],
    })
    made.discard()
    return true
  } catch (error) {
    // What it says of the push itself says more.
    if (error instanceof UpstreamError) return false
    throw error
  }
}
