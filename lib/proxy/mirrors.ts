// Clients that know this registry as a mirror of another one ask for that one's names: containerd says whose they are
// (`?ns=docker.io`), docker does not. An administrator says which project stands for which registry (`proxy_mirrors`).
import { projectOf } from '../oci/reference.ts'
import { readConfiguration } from '../registry/configuration.ts'
import { findProject } from '../registry/projects.ts'
import type { Registry } from '../registry/registry.ts'
import { readRepository } from '../registry/repositories.ts'

/** A change is in use everywhere after so long. */
const REMEMBERED_MS = 1000
/** Whoever names no registry. */
const ANY = '*'

export class Mirrors {
  readonly #registry: Registry
  #projects: Promise<Map<string, string>> | undefined
  #readAtMs = 0

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /**
   * @param namespace whose name it is; undefined when the client does not say
   * @returns the name here; undefined when no project stands for that registry
   */
  async nameHere(name: string, namespace: string | undefined): Promise<string | undefined> {
    const project = (await this.#read()).get(namespace?.toLowerCase() ?? ANY)
    return project === undefined ? undefined : `${project}/${name}`
  }

  /**
   * Whether a name that is refused may be meant for another registry: never one of a project that is here, so that nobody
   * gets a stranger's image of the same name. `library`, which every registry has, counts by its repositories.
   */
  async mayBeElsewhere(name: string): Promise<boolean> {
    const project = projectOf(name)
    if (project === 'library') return (await readRepository(this.#registry, name)) === undefined
    return (await findProject(this.#registry, project)) === undefined
  }

  /** Whether any project stands for another registry: then names of others are not ours. */
  async any(): Promise<boolean> {
    return (await this.#read()).size > 0
  }

  #read(): Promise<Map<string, string>> {
    const now = this.#registry.clock.nowMs()
    if (!this.#projects || now - this.#readAtMs > REMEMBERED_MS) {
      this.#readAtMs = now
      const reading = readConfiguration(this.#registry).then(({ proxy_mirrors: text }) => mirrorsIn(text))
      this.#projects = reading
      reading.catch(() => {
        if (this.#projects === reading) this.#projects = undefined
      })
    }
    return this.#projects
  }
}

/** `docker.io=dockerhub-proxy,*=dockerhub-proxy` */
export function mirrorsIn(text: string): Map<string, string> {
  const pairs = text.split(',').map((each) => each.trim().split('='))
  return new Map(pairs.flatMap(([from, to]) => (from && to ? [[from.toLowerCase(), to]] : [])))
}
