// Medians and how they are shown.

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Three significant digits, thousands without decimals. */
export function readable(value: number): string {
  if (value === 0) return '0'
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en-US')
  return String(Number(value.toPrecision(3)))
}

/** `median [min–max]` */
export function spread(values: number[]): string {
  if (values.length === 1) return readable(values[0]!)
  return `${readable(median(values))} [${readable(Math.min(...values))}–${readable(Math.max(...values))}]`
}
