// A registry server on stores that are open: listens, and drains when told to stop.

import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Access, createAccess } from '../access/access.ts'
import { ensureAdmin } from '../access/users.ts'
import type { Config } from '../config/schema.ts'
import type { Api } from '../http/api.ts'
import { handle } from '../http/application.ts'
import { edgeClaims } from '../http/edge-headers.ts'
import { renderError } from '../http/errors.ts'
import { forwardedAddress } from '../http/forwarded.ts'
import { handleHarbor } from '../http/harbor/harbor-api.ts'
import { type HttpRequest, type HttpResponse, json } from '../http/message.ts'
import { redactedPath } from '../http/redacted-path.ts'
import { routeLabel } from '../http/route-label.ts'
import { listenerOf } from '../kinds/listener.ts'
import { Mirrors } from '../proxy/mirrors.ts'
import { ProxyCache } from '../proxy/proxy-cache.ts'
import { accessRecords } from '../registry/access-records.ts'
import { Recorder } from '../registry/recorder.ts'
import { startBackground } from './background.ts'
import { listenControl } from './control.ts'
import { jobsOf, runJobs } from './jobs.ts'
import { type Log, openLog } from './log.ts'
import { createMetrics, type ServerMetrics } from './metrics.ts'
import { createNodeServer, type TlsFiles } from './node-server.ts'
import type { OpenStores } from './open-stores.ts'
import { scanningOf } from './scanning.ts'
import { StartupError } from './startup-error.ts'
import { upstreamsOf } from './upstreams.ts'

/** How long requests under way may take once the server was told to stop. */
const DRAIN_MS = 25_000
const IDLE_LOOK_MS = 50

export interface RegistryServer {
  url: string
  /** Only when it was made at this start. */
  adminPassword?: string
  /** Requests are under way. */
  readonly busy: boolean
  /** Certificate files read again. */
  reloadTls(): void
  /** Stops listening, lets requests end, writes what is left. */
  stop(): Promise<void>
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g

/**
 * @param stores closed with the server, and when it cannot start
 * @throws StartupError
 */
export async function startServer(config: Config, stores: OpenStores): Promise<RegistryServer> {
  const opened: (() => Promise<void> | void)[] = [() => stores.close()]
  try {
    const tls = readTls(config)
    let authority = readAuthority(config)
    const log = openLog(stores.directory, config.logLevel, config.logTo)
    opened.push(() => log.close())
    const { registry } = stores
    // Without logins nobody needs the password, which is shown only when it is made.
    const admin = config.open ? {} : await ensureAdmin(registry, config.adminPassword)
    const recorder = new Recorder(registry, stores.pullLog)
    const upstreams = upstreamsOf(stores, config)
    const jobs = jobsOf(stores)
    const proxy = new ProxyCache({
      registry,
      upstreams,
      ...(stores.openSpool ? { openSpool: stores.openSpool } : {}),
    })
    const parts = { recorder, proxy, listener: listenerOf(jobs.jobs) }
    const background = startBackground(stores, parts, log.logger, config)
    opened.push(() => background.stop())
    const { sweepNow } = background
    const metrics = createMetrics(recorder)
    let here = ''
    const jobParts = { sweepNow, upstreams, scanning: scanningOf(stores, config, upstreams, () => here) }
    if (config.background === 'on') opened.push(runJobs(jobs, jobParts, log.logger, metrics))
    const api = {
      registry,
      jobs: jobs.jobs,
      access: accessTo(stores, recorder, config),
      recorder,
      secrets: stores.secrets,
      upstreams,
      proxy,
      mirrors: new Mirrors(registry),
      management: handleHarbor,
      authority: () => authority,
    }
    let url = config.externalUrl ?? ''
    if (stores.directory !== undefined) {
      const here = { upstreams, origin: () => url, withJobs: <T>(work: () => Promise<T>) => work() }
      const control = await listenControl(stores, stores.directory, { ...background, ...here })
      opened.push(() => control.close())
    }
    const servers = await listen(config, () => registryServer(api, metrics, log, config, tls))
    const redirect = await listenForRedirect(config, servers[0]!)
    const all = redirect ? [...servers, redirect] : servers
    opened.push(() => drain(all))
    here = urlOf(servers[0]!, config)
    url ||= here
    log.logger.info({ component: 'server', url, open: config.open }, 'listening')
    return {
      url,
      get busy() {
        return metrics.busy()
      },
      ...(admin.password === undefined ? {} : { adminPassword: admin.password }),
      reloadTls: () => {
        const fresh = readTls(config)
        authority = readAuthority(config)
        if (fresh)
          for (const server of servers)
            (server as unknown as { setSecureContext(tls: TlsFiles): void }).setSecureContext(fresh)
      },
      stop: async () => {
        log.logger.info({ component: 'server' }, 'stopping')
        for (const close of opened.reverse()) await close()
      },
    }
  } catch (error) {
    for (const close of opened.reverse()) await close()
    throw error
  }
}

function accessTo(stores: OpenStores, recorder: Recorder, config: Config): Access {
  return createAccess({
    registry: stores.registry,
    secrets: stores.secrets,
    service: 'entrepot',
    open: config.open,
    ...(stores.providers ? { providers: stores.providers } : {}),
    onAccess: accessRecords(recorder),
  })
}

function registryServer(
  api: Api & Pick<OpenStores, 'secrets'>,
  metrics: ServerMetrics,
  log: Log,
  config: Config,
  tls: TlsFiles | undefined,
): Server {
  const { logger } = log
  const answer = async (request: HttpRequest): Promise<HttpResponse> => {
    if (request.path === '/healthz') return json(200, { status: 'ok' })
    if (request.path === '/metrics') {
      const { contentType, text } = await metrics.render()
      return { status: 200, headers: { 'Content-Type': contentType }, body: text }
    }
    let addressed: HttpRequest
    try {
      addressed = addressedTo(request, config, api.secrets.document.origin)
    } catch (error) {
      return renderError(error, request.id)
    }
    return handle(api, addressed, (failed, error, expected) => {
      if (!expected) logger.error({ component: 'http', requestId: failed.id, err: error }, 'request failed')
    })
  }
  return createNodeServer(
    answer,
    {
      begun: () => metrics.inFlight(1),
      ended: (request, status, facts) => {
        const route = routeLabel(request.path)
        metrics.inFlight(-1)
        metrics.answered(request.method, route, status, facts.seconds)
        metrics.received(facts.receivedBytes)
        metrics.sent(facts.sentBytes)
        const line = {
          component: 'http',
          requestId: request.id,
          method: request.method,
          path: redactedPath(request.path),
          status,
          ...facts,
          client: request.headers['user-agent'],
        }
        logger.info(line)
      },
      failed: (request, error) =>
        logger.error({ component: 'http', requestId: request.id, err: error }, 'answer broke off'),
    },
    config.keepAliveSeconds * 1000,
    tls,
  )
}

/** The request as the client addressed it, whatever stands between. @throws DENIED when it came around the edge */
function addressedTo(request: HttpRequest, config: Config, edgeSecret: string | undefined): HttpRequest {
  if (config.edge === 'on') {
    const { host, requestId, viewer } = edgeClaims(request.headers, edgeSecret ?? '')
    const { id, address } = request
    return { ...request, origin: `https://${host}`, id: requestId ?? id, address: viewer ?? address }
  }
  const address = forwardedAddress(request, config.trustedProxies)
  return {
    ...request,
    address,
    ...(config.externalUrl ? { origin: new URL(config.externalUrl).origin } : {}),
  }
}

function readTls(config: Config): TlsFiles | undefined {
  if (config.tlsCert === undefined || config.tlsKey === undefined) return undefined
  return { cert: readPem(config, 'tlsCert'), key: readPem(config, 'tlsKey') }
}

/** Certificates alone: a file that has the authority's key beside them is not handed out. */
function readAuthority(config: Config): string | undefined {
  if (config.tlsCa === undefined) return undefined
  const found = readPem(config, 'tlsCa').toString('utf8').match(CERTIFICATE)
  if (!found) throw new StartupError('usage', `tlsCa: ${config.tlsCa} holds no PEM certificate`)
  return `${found.join('\n')}\n`
}

function readPem(config: Config, key: 'tlsCert' | 'tlsKey' | 'tlsCa'): Buffer {
  try {
    return readFileSync(config[key]!)
  } catch (error) {
    throw new StartupError('usage', `${key}: cannot read ${config[key]}: ${(error as Error).message}`, error)
  }
}

/** Both loopback addresses unless told otherwise; the second must get the port the first got. */
async function listen(config: Config, create: () => Server): Promise<Server[]> {
  const [first, ...others] = config.host === undefined ? ['127.0.0.1', '::1'] : [config.host]
  const servers = [await listenOn(create(), config.port, first!)]
  const { port } = servers[0]!.address() as AddressInfo
  for (const host of others) {
    const server = await listenOn(create(), port, host).catch((error: StartupError) => {
      // A machine without IPv6 is no reason not to start; a port taken there is.
      if (
        error.exitCode === 3 &&
        (error.cause as NodeJS.ErrnoException).code === 'EADDRINUSE' &&
        config.port !== 0
      ) {
        servers[0]!.close()
        throw error
      }
      return undefined
    })
    if (server) servers.push(server)
  }
  return servers
}

function listenOn(server: Server, port: number, host: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why =
        error.code === 'EADDRINUSE'
          ? `port ${port} on ${host} is in use: stop what listens there, or choose another with --port`
          : error.code === 'EACCES'
            ? `this user may not listen on port ${port}: choose one above 1023 with --port`
            : `cannot listen on ${host} port ${port}: ${error.message}`
      reject(new StartupError('port', why, error))
    })
    server.listen(port, host, () => resolve(server))
  })
}

async function listenForRedirect(config: Config, main: Server): Promise<Server | undefined> {
  if (config.redirectHttp === undefined) return undefined
  const server = createServer((request, response) => {
    const host = (request.headers.host ?? 'localhost').replace(/:\d+$/, '')
    const { port } = main.address() as AddressInfo
    response
      .writeHead(308, { Location: `https://${host}${port === 443 ? '' : `:${port}`}${request.url}` })
      .end()
  })
  return listenOn(server, config.redirectHttp, config.host ?? '127.0.0.1')
}

function urlOf(server: Server, config: Config): string {
  const { address, port, family } = server.address() as AddressInfo
  const host = family === 'IPv6' ? `[${address}]` : address
  return `${config.tlsCert ? 'https' : 'http'}://${host}:${port}`
}

/** Connections that wait for another request are closed as their last answer ends. */
async function drain(servers: Server[]): Promise<void> {
  const idle = setInterval(() => {
    for (const server of servers) server.closeIdleConnections()
  }, IDLE_LOOK_MS)
  const deadline = setTimeout(() => {
    for (const server of servers) server.closeAllConnections()
  }, DRAIN_MS)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  clearInterval(idle)
  clearTimeout(deadline)
}
