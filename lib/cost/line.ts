// A line of the sheet: amounts times prices.
import { type Price, type Tier, tiered } from './prices.ts'

export interface Line {
  what: string
  /** How much of it, for people. */
  amount: string
  usd: number
  /** A price in it was never read in AWS's list. */
  unread: boolean
}

/** @param parts amounts, each with its price */
export function line(what: string, amount: string, ...parts: [number, Price | Tier[]][]): Line {
  const usd = parts.reduce(
    (sum, [units, price]) => sum + (Array.isArray(price) ? tiered(units, price) : units * price.usd),
    0,
  )
  const unread = parts.some(([units, price]) => units > 0 && !Array.isArray(price) && price.unread === true)
  return { what, amount, usd, unread }
}

export function gib(amount: number): string {
  return `${count(amount)} GiB`
}

/** Three digits of it: more would look as if it were known. */
export function count(amount: number): string {
  return new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 }).format(amount)
}
