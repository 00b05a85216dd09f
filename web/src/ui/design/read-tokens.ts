/** The custom properties of the design system as the page has them now: names from the style sheets, values as computed. */

export interface Token {
  /** As `--accent`. */
  readonly name: string
  /** As computed: for colours `rgb(...)`. */
  readonly value: string
}

/** Names of all custom properties that rules for `:root` alone set, in their order, each once. */
export function readTokenNames(sheets: Iterable<CSSStyleSheet>): readonly string[] {
  const names = new Set<string>()
  for (const sheet of sheets) {
    for (const rule of sheet.cssRules) {
      if (!(rule instanceof CSSStyleRule) || rule.selectorText !== ':root') continue
      for (const name of rule.style) if (name.startsWith('--')) names.add(name)
    }
  }
  return [...names]
}

/** Costs a layout; read again when the theme changes. @param host inside which they hold. */
export function readTokens(host: HTMLElement): readonly Token[] {
  const style = getComputedStyle(host)
  const probe = document.createElement('span')
  probe.hidden = true
  host.append(probe)
  const tokens = readTokenNames(document.styleSheets).map((name) => {
    const written = style.getPropertyValue(name).trim()
    if (!/^(#|rgb|light-dark)/.test(written)) return { name, value: written }
    probe.style.color = `var(${name})`
    return { name, value: getComputedStyle(probe).color }
  })
  probe.remove()
  return tokens
}
