// Every proof has a switch that must turn it red. The test reads SABOTAGE from its environment and
// breaks the thing it proves (a port wrapped, a module patched); the product has no such switch.

export interface Sabotage {
  name: string
  /** What is broken. */
  breaks: string
  files: string[]
  needs: string[]
}

export const SABOTAGES: Sabotage[] = []
