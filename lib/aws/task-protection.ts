// ECS does not scale a task in while it says that it is protected: an upload under way is such a reason.

const LOOK_EVERY_MS = 10_000
/** Renewed while busy; a task that dies is not protected for longer than this. */
const PROTECTED_MINUTES = 15

/**
 * @param agent ECS_AGENT_URI, which every task has; without it nothing is done
 * @returns stops looking
 */
export function protectWhileBusy(busy: () => boolean, agent: string | undefined): () => void {
  if (agent === undefined) return () => {}
  let isProtected = false
  let renewAtMs = 0
  const look = async () => {
    const now = busy()
    if (now === isProtected && (!now || Date.now() < renewAtMs)) return
    const answer = await fetch(`${agent}/task-protection/v1/state`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        ProtectionEnabled: now,
        ...(now ? { ExpiresInMinutes: PROTECTED_MINUTES } : {}),
      }),
    })
    if (!answer.ok) return
    isProtected = now
    renewAtMs = Date.now() + (PROTECTED_MINUTES * 60_000) / 2
  }
  const timer = setInterval(() => void look().catch(() => {}), LOOK_EVERY_MS)
  timer.unref()
  return () => clearInterval(timer)
}
