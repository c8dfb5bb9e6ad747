// `entrepot explain …`: why somebody may or may not do something, or why a request was refused.
import { explain, findDenial } from '../access/explain.ts'
import { type Operation, type OperationContext, UsageError } from './operation.ts'

const USAGE = 'explain WHO ACTION WHAT | REQUEST-ID'

export const EXPLAIN_OPERATION: Operation = {
  usage: USAGE,
  what: 'why somebody may or may not do something, or why a request was refused',
  run: async (context, args) => {
    const [first = '', action = '', on = ''] = args
    if (args.length === 1 && first !== '') return ofRequest(context, first)
    if (args.length !== 3) throw new UsageError('expected who, an action and on what, or the id of a request')
    const { principal, allowed, why } = await explain(context.registry, first, action, on)
    context.print(`${principal} ${allowed ? 'may' : 'may not'} ${action} on ${on}: ${why}`)
    return allowed ? 0 : 1
  },
}

async function ofRequest({ registry, print }: OperationContext, id: string): Promise<number> {
  const denial = await findDenial(registry, id)
  if (!denial) {
    print(`no request ${id} was refused in the last 30 days`)
    return 1
  }
  const { atMs, principal, asked, rule, client } = denial
  print(`${new Date(atMs).toISOString()} ${asked}`)
  print(`by      ${principal === '' ? 'somebody whose login was not accepted' : principal}`)
  print(`with    ${client === '' ? 'an unnamed client' : client}`)
  print(`refused ${rule}`)
  return 0
}
