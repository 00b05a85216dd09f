/**
 * Part of the page's build: the chart library asks `Intl` for a number format and the time zone when it is loaded, for labels and zones that the
 * page brings itself. The first thing asked of `Intl` loads the browser's tables, which blocks a slow tablet for a fifth of a second, so both
 * wait until they are used.
 */
import type { Plugin } from 'vite'

const LIBRARY = '/uplot/dist/uPlot.esm.js'

/** As the library has it, and what stands there instead. */
const CHANGES: readonly (readonly [string, string])[] = [
  ['const numFormatter = new Intl.NumberFormat', 'let numFormatter;\nconst makeFormatter = () => new Intl.NumberFormat'],
  ['numFormatter.format(val)', '(numFormatter ??= makeFormatter()).format(val)'],
  ['const localTz = new Intl.DateTimeFormat().resolvedOptions().timeZone', 'let localTz'],
  ['tz == localTz', 'tz == (localTz ??= new Intl.DateTimeFormat().resolvedOptions().timeZone)'],
]

/** @throws at the build, where another version of the library no longer has one of them. */
export function lateIntl(): Plugin {
  return {
    name: 'semblante-late-intl',
    apply: 'build',
    transform(code, id) {
      if (!id.endsWith(LIBRARY)) return undefined
      return CHANGES.reduce((text, [from, to]) => {
        if (text.split(from).length !== 2) throw new Error(`${id}: expected \`${from}\` once (scripts/late-intl.ts)`)
        return text.replace(from, to)
      }, code)
    },
  }
}
