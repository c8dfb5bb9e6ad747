// Small servers that the twin's programs call: the way out through a proxy, the ECS agent, the S3 server's events.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'

export interface Door {
  url: string
  close(): Promise<void>
}

async function open(
  handle: (incoming: IncomingMessage, outgoing: ServerResponse) => void,
): Promise<Door & { server: ReturnType<typeof createServer> }> {
  const server = createServer(handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    server,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

/** Leads every name to the edge, as DNS would: functions reach the distribution by the name it has. */
export async function openProxy(edgePort: Promise<number>): Promise<Door> {
  const door = await open((_, outgoing) => void outgoing.writeHead(405).end())
  door.server.on('connect', async (_, socket) => {
    const onward = connect(await edgePort, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connected\r\n\r\n')
      onward.pipe(socket)
      socket.pipe(onward)
    })
    onward.on('error', () => socket.destroy())
    socket.on('error', () => onward.destroy())
  })
  return door
}

/** @param onState told what the tasks ask for: protection while they are busy */
export function openAgent(onState: (isProtected: boolean) => void): Promise<Door> {
  return open(async (incoming, outgoing) => {
    const { ProtectionEnabled } = JSON.parse(await textOf(incoming)) as { ProtectionEnabled: boolean }
    onState(ProtectionEnabled)
    outgoing.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  })
}

/** @param onKey told of every new object */
export function openEvents(onKey: (key: string) => void): Promise<Door> {
  return open(async (incoming, outgoing) => {
    const { Records = [] } = JSON.parse(await textOf(incoming)) as {
      Records?: { eventName: string; s3: { object: { key: string } } }[]
    }
    outgoing.end()
    for (const { eventName, s3 } of Records)
      if (eventName.includes('ObjectCreated')) onKey(decodeURIComponent(s3.object.key.replaceAll('+', ' ')))
  })
}

async function textOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString() || '{}'
}
