// `entrepot blast-radius`: which tags have a package, and who pulled them; `rematch`: what became known of them since.
import { RegistryError } from '../oci/errors.ts'
import { type AffectedImage, blastRadius } from '../sbom/blast-radius.ts'
import { type PackageQuery, parsePackageQuery } from '../sbom/package-query.ts'
import { beginRematch } from '../sbom/rematch.ts'
import { jobsOf } from './jobs.ts'
import { type Operation, parsed, UsageError } from './operation.ts'
import { spanMs } from './span.ts'

const NAMED = 20

export const SBOM_OPERATIONS: Record<string, Operation> = {
  rematch: {
    usage: 'rematch',
    what: 'look for new vulnerabilities of what images are made of, without pulling one',
    run: async ({ stores, actor, print }, args) => {
      if (args.length > 0) throw new UsageError('expected nothing more')
      const { number } = await beginRematch(jobsOf(stores).jobs, 'MANUAL', actor.principal)
      print(`execution ${number} has begun; how it goes: entrepot jobs show ${number}`)
      return 0
    },
  },
  'blast-radius': {
    usage: 'blast-radius PACKAGE[<VERSION] … [--last 30d] [--json]',
    what: 'show which tags have a package, by their bills of materials, and who pulled them; exit code 1 when any',
    run: async ({ registry, print }, args) => {
      const { positionals, values } = parsed(args, { last: { type: 'string' }, json: { type: 'boolean' } })
      if (positionals.length === 0) throw new UsageError('expected a package, such as "openssl<3.0.18"')
      const last = values.last ?? '30d'
      const queries = positionals.map(queryIn)
      const images = await blastRadius(registry, queries, registry.clock.nowMs() - spanMs(last))
      if (values.json) print(JSON.stringify(images))
      else for (const line of linesOf(images, last)) print(line)
      return images.length > 0 ? 1 : 0
    },
  },
}

function queryIn(text: string): PackageQuery {
  try {
    return parsePackageQuery(text)
  } catch (error) {
    throw error instanceof RegistryError ? new UsageError(error.message) : error
  }
}

function linesOf(images: AffectedImage[], last: string): string[] {
  const pullers = new Set(images.flatMap(({ pulls }) => pulls.map(({ principal }) => principal)))
  return [
    ...images.flatMap(({ repository, digest, tags, packages, pulls }) => [
      [
        tags.length === 0 ? `${repository}@${digest}` : tags.map((tag) => `${repository}:${tag}`).join(' '),
        digest,
        packages.join(', '),
      ].join('\t'),
      ...pulls
        .slice(0, NAMED)
        .map(
          ({ principal, pulls: count, lastAtMs }) =>
            `\t${principal}\t${count} pulls\t${new Date(lastAtMs).toISOString()}`,
        ),
      ...(pulls.length > NAMED ? [`\tand ${pulls.length - NAMED} more`] : []),
    ]),
    `${images.length} images; pulled by ${pullers.size} in the last ${last}`,
  ]
}
