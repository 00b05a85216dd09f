import { expect, it } from 'vitest'
import { writeSettingsHelp } from './settings-help.ts'
import { SETTING_GROUPS, SETTINGS } from './settings.ts'

it('[SH1] every setting stands once, with its default, and every group has some', () => {
  const lines = writeSettingsHelp().split('\n')
  for (const { name, defaultText } of Object.values(SETTINGS)) {
    expect(lines.filter((line) => line === (defaultText === '' ? `  ${name}` : `  ${name}=${defaultText}`))).toHaveLength(1)
  }
  for (const title of Object.values(SETTING_GROUPS)) expect(lines).toContain(title)
  for (const group of Object.keys(SETTING_GROUPS)) expect(Object.values(SETTINGS).some((setting) => setting.group === group)).toBe(true)
})

it('[SH2] fits a terminal', () => {
  for (const line of writeSettingsHelp().split('\n')) expect(line.length).toBeLessThanOrEqual(110)
})

it('[SH3] names are those of environment variables, no two alike; a secret has no default; each meaning is one sentence', () => {
  const names = Object.values(SETTINGS).map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  for (const { name, isSecret, defaultText, doc } of Object.values(SETTINGS)) {
    expect(name).toMatch(/^[A-Z][A-Z0-9_]+$/)
    if (isSecret) expect(defaultText).toBe('')
    expect(doc).toMatch(/^[A-Z].*\.$/i)
  }
})

it('[SH4] every default is what the setting would take', () => {
  for (const setting of Object.values(SETTINGS)) {
    if (setting.defaultText === '') continue
    expect(setting.parse(setting.defaultText, { resolvePath: (path) => path })).toEqual({
      ok: true,
      value: setting.toDefault({ resolvePath: (path) => path }),
    })
  }
})
