/** Comma-separated rows with optional quotes (RFC 4180, without line breaks inside quotes). */

export function readCsv(text: string): readonly (readonly string[])[] {
  return text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map(readRow)
}

function readRow(line: string): readonly string[] {
  return Array.from(line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g), (match) => (match[1] ?? match[2] ?? '').replaceAll('""', '"'))
}
