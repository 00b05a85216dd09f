/** What `npm start -- --help` prints: every setting with its default and what it takes, from the table. */
import type { Setting } from './setting-kinds.ts'
import { SETTING_GROUPS, SETTINGS } from './settings.ts'

const WIDTH = 100
const INDENT = '      '

export function writeSettingsHelp(): string {
  const groups = Object.entries(SETTING_GROUPS).map(([group, title]) => {
    const settings: readonly Setting<unknown>[] = Object.values(SETTINGS).filter((setting) => setting.group === group)
    return [title, '', ...settings.flatMap(writeSetting)].join('\n')
  })
  return `${[INTRO, ...groups, OUTRO].join('\n\n')}\n`
}

const INTRO = `Semblante: the page and its relay.

  npm start                         with what is set in the environment
  PORT=9000 npm start               with another port
  CONFIG_FILE=relay.json npm start  with the settings of a JSON file; the environment wins
  npm start -- --help               this text

Settings, all optional:`

const OUTRO = 'Everything else: README.md, docs/configuration.md, docs/protocol/README.md.'

function writeSetting(setting: Setting<unknown>): readonly string[] {
  const { name, doc, expected, defaultText } = setting
  const head = defaultText === '' ? `  ${name}` : `  ${name}=${defaultText}`
  return [head, ...wrap(doc), ...wrap(`Takes ${expected}.`)]
}

function wrap(sentence: string): readonly string[] {
  const lines: string[] = []
  for (const word of sentence.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + word.length < WIDTH) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(INDENT + word)
  }
  return lines
}
