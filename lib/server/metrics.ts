// Prometheus metrics of the local server, at /metrics.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry as Metrics } from 'prom-client'
import type { Recorder } from '../registry/recorder.ts'

export interface ServerMetrics {
  /** Notes one answered request. */
  answered(method: string, route: string, status: number, seconds: number): void
  received(bytes: number): void
  sent(bytes: number): void
  inFlight(change: 1 | -1): void
  /** Notes one attempt of a job. */
  jobEnded(vendor: string, status: string, seconds: number): void
  busy(): boolean
  render(): Promise<{ contentType: string; text: string }>
}

export function createMetrics(recorder: Recorder): ServerMetrics {
  const registers = [new Metrics()]
  const [metrics] = registers as [Metrics]
  collectDefaultMetrics({ register: metrics })
  const requests = new Counter({
    name: 'entrepot_http_requests_total',
    help: 'Requests answered.',
    labelNames: ['method', 'route', 'status'],
    registers,
  })
  const duration = new Histogram({
    name: 'entrepot_http_request_seconds',
    help: 'Time from a request’s headers to the end of its answer.',
    labelNames: ['route'],
    buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 60, 600],
    registers,
  })
  const received = new Counter({
    name: 'entrepot_http_received_bytes_total',
    help: 'Bytes of request bodies.',
    registers,
  })
  const sent = new Counter({
    name: 'entrepot_http_sent_bytes_total',
    help: 'Bytes of answers’ bodies.',
    registers,
  })
  const jobs = new Histogram({
    name: 'entrepot_job_seconds',
    help: 'Time of one attempt of a job, by its kind and by how it ended.',
    labelNames: ['kind', 'status'],
    buckets: [0.1, 1, 10, 60, 600, 3600],
    registers,
  })
  const inFlight = new Gauge({
    name: 'entrepot_http_requests_in_flight',
    help: 'Requests being answered.',
    registers,
  })
  new Gauge({
    name: 'entrepot_records_lost_total',
    help: 'Pull and denial records dropped because the store could not keep up.',
    registers,
    collect() {
      this.set(recorder.lost)
    },
  })
  let under = 0
  return {
    jobEnded: (kind, status, seconds) => jobs.observe({ kind, status }, seconds),
    answered: (method, route, status, seconds) => {
      requests.inc({ method, route, status: String(status) })
      duration.observe({ route }, seconds)
    },
    received: (bytes) => received.inc(bytes),
    sent: (bytes) => sent.inc(bytes),
    inFlight: (change) => {
      under += change
      inFlight.inc(change)
    },
    busy: () => under > 0,
    render: async () => ({ contentType: metrics.contentType, text: await metrics.metrics() }),
  }
}
