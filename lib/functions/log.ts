// Structured log lines; with metrics in the form CloudWatch takes out of a log (embedded metric format).

export function logLine(line: Record<string, unknown>): void {
  console.log(JSON.stringify(line))
}

/** One line that is a log entry and a set of metrics at once. */
export function logMetrics(
  dimensions: Record<string, string>,
  metrics: Record<string, { value: number; unit: 'Count' | 'Milliseconds' | 'Bytes' }>,
  line: Record<string, unknown>,
): void {
  logLine({
    _aws: {
      Timestamp: Date.now(),
      CloudWatchMetrics: [
        {
          Namespace: 'Entrepot',
          Dimensions: [Object.keys(dimensions)],
          Metrics: Object.entries(metrics).map(([Name, { unit: Unit }]) => ({ Name, Unit })),
        },
      ],
    },
    ...dimensions,
    ...Object.fromEntries(Object.entries(metrics).map(([name, { value }]) => [name, value])),
    ...line,
  })
}
