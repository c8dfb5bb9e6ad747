// Other registries that the source knows: brought without their secrets, which it tells nobody.
import { createRegistry, listRegistries } from '../registries/registries.ts'
import { checkedUrl } from '../registries/registry-url.ts'
import type { RemoteRegistry } from '../registries/remote-registry.ts'
import { type Fields, flagIn, numberIn, objectIn, textIn } from './fields.ts'
import type { Import } from './import.ts'
import { differing, settle } from './outcome.ts'

/** By number there; what could not be brought is missing. */
export type Registries = Map<number, RemoteRegistry>

/** @param found is filled. @param needed numbers there; undefined for all. @throws HarborApiError */
export async function bringRegistries(
  context: Import,
  found: Registries,
  needed: ReadonlySet<number> | undefined,
): Promise<void> {
  const rows = await context.source.all('/registries')
  for (const row of rows) {
    const number = numberIn(row, 'id') ?? 0
    if (needed && !needed.has(number)) continue
    const here = await bring(context, row)
    if (here) found.set(number, here)
  }
}

async function bring(context: Import, row: Fields): Promise<RemoteRegistry | undefined> {
  const { registry, upstreams, report } = context
  const there = textOf(row)
  const before = await named(context, there.name)
  await settle(context, {
    kind: 'registry',
    name: there.name,
    differences: before && differences(there, before),
    create: () => createRegistry(registry, upstreams, there, { reachable: false }),
    // Where secrets go, and whom they trust, nobody changes but people.
    deed: () => ({ resourceType: 'registry', resource: there.name }),
  })
  const here = await named(context, there.name)
  const hasSecret = textIn(objectIn(row, 'credential'), 'access_secret') !== ''
  if (here && hasSecret && here.sealedSecret === '')
    report({
      kind: 'registry',
      name: there.name,
      state: 'note',
      why: 'its secret is told by nobody: set it here',
    })
  else if (here && !here.healthy)
    report({ kind: 'registry', name: there.name, state: 'note', why: `it does not answer: ${here.reason}` })
  return here && !isElsewhere(there, here) ? here : undefined
}

async function named({ registry }: Import, name: string): Promise<RemoteRegistry | undefined> {
  return (await listRegistries(registry)).find((each) => each.name === name)
}

function textOf(row: Fields) {
  const credential = objectIn(row, 'credential')
  return {
    name: textIn(row, 'name'),
    description: textIn(row, 'description'),
    type: textIn(row, 'type'),
    url: textIn(row, 'url'),
    insecure: flagIn(row, 'insecure'),
    caCertificate: textIn(row, 'ca_certificate'),
    credentialType: textIn(credential, 'type'),
    accessKey: textIn(credential, 'access_key'),
    accessSecret: '',
  }
}

function isElsewhere(there: ReturnType<typeof textOf>, here: RemoteRegistry): boolean {
  return addressDifferences(there, here).length > 0
}

function addressDifferences(there: ReturnType<typeof textOf>, here: RemoteRegistry): string[] {
  return [
    ...differing('the type', there.type, here.type),
    ...(there.url === here.url ? [] : differing('the URL', checkedUrl(there.url), here.url)),
  ]
}

function differences(there: ReturnType<typeof textOf>, here: RemoteRegistry): string[] {
  return [
    ...addressDifferences(there, here),
    ...differing('insecure', there.insecure, here.insecure),
    ...differing('the description', there.description, here.description),
  ]
}
