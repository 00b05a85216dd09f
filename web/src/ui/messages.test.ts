/** Every text in every language, and every text used. The build would fall back to Spanish without a word. */
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const WEB = join(import.meta.dirname, '../..')
const settings: { baseLocale: string; locales: string[]; 'plugin.inlang.messageFormat': { pathPattern: string[] } } = JSON.parse(
  readWeb('project.inlang/settings.json'),
)
const base = readMessages(settings.baseLocale)
const others = settings.locales.filter((locale) => locale !== settings.baseLocale)

function readWeb(path: string): string {
  return readFileSync(join(WEB, path), 'utf8')
}

/** Of all rooms; a name that two rooms use would hide one of the texts. */
function readMessages(locale: string): Map<string, unknown> {
  const messages = new Map<string, unknown>()
  for (const pattern of settings['plugin.inlang.messageFormat'].pathPattern) {
    const parsed: Record<string, unknown> = JSON.parse(readWeb(pattern.replace('{locale}', locale)))
    delete parsed['$schema']
    for (const [key, message] of Object.entries(parsed)) {
      if (messages.has(key)) throw new Error(`${key} stands in ${pattern} and in another room`)
      messages.set(key, message)
    }
  }
  return messages
}

/** What a message fills in, as in `{percent}`, without doubles. */
function placeholders(message: unknown): string[] {
  return [...new Set(JSON.stringify(message).match(/\{\w+\}/g) ?? [])].sort()
}

/** Every text of a message: itself, or the variants of a plural. */
function texts(message: unknown): string[] {
  if (typeof message === 'string') return [message]
  if (typeof message !== 'object' || message === null) return []
  return Object.entries(message).flatMap(([key, value]) => (key === 'declarations' || key === 'selectors' ? [] : texts(value)))
}

function readSources(folder: string): string {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (file) => /\.(svelte|ts)$/.test(file) && !file.endsWith('.test.ts'),
  )
  return files.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n')
}

describe('messages', () => {
  it('[MS1] speaks Spanish, English, Portuguese and Persian, Spanish first', () => {
    expect(settings.baseLocale).toBe('es')
    expect([...settings.locales].sort()).toEqual(['en', 'es', 'fa', 'pt'])
  })

  it.each(others)('[MS2] has every message in %s, and none that Spanish lacks', (locale) => {
    expect([...readMessages(locale).keys()].sort()).toEqual([...base.keys()].sort())
  })

  it.each(others)('[MS3] fills in the same values in %s', (locale) => {
    const messages = readMessages(locale)
    for (const [key, message] of base)
      expect({ key, fills: placeholders(messages.get(key)) }).toEqual({ key, fills: placeholders(message) })
  })

  it.each(settings.locales)('[MS4] has no empty text in %s', (locale) => {
    for (const [key, message] of readMessages(locale)) {
      const found = texts(message)
      expect({ key, isEmpty: found.length === 0 || found.some((text) => text.trim() === '') }).toEqual({ key, isEmpty: false })
    }
  })

  it('[MS5] uses every message somewhere', () => {
    const sources = readSources(join(WEB, 'src/ui'))
    expect([...base.keys()].filter((key) => !sources.includes(`m.${key}(`))).toEqual([])
  })

  it('[MS7] reads every room of messages', () => {
    const rooms = readdirSync(join(WEB, 'messages')).map((room) => `./messages/${room}/{locale}.json`)
    expect([...settings['plugin.inlang.messageFormat'].pathPattern].sort()).toEqual(rooms.sort())
  })

  it('[MS6] writes no style attribute, which the content security policy forbids', () => {
    const markup = readSources(join(WEB, 'src/ui')) + readWeb('index.html')
    expect(markup.match(/\sstyle="/g)).toBeNull()
  })
})
