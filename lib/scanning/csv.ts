// Lines of comma-separated values (RFC 4180) as Harbor's exports have them.

/** With these a spreadsheet takes a text for a formula: scanners and packages are not trusted with that. */
const FORMULA = /^[=+\-@\t\r\n]/

/** @returns with its line end */
export function csvLine(cells: readonly string[]): string {
  return `${cells.map(cell).join(',')}\n`
}

function cell(text: string): string {
  const harmless = FORMULA.test(text) ? `'${text}` : text
  return /[",\r\n]|^\s/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}
