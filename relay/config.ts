/**
 * Settings from the environment and an optional file as one typed object. Lists all mistakes at once, with what was expected; repeats no value
 * that might be a secret. Which settings there are stands in config/settings.ts.
 */
import { findNearestName, readConfigFile } from './config/config-file.ts'
import { isLoopback } from './config/network-address.ts'
import { findConflicts } from './config/setting-conflicts.ts'
import type { ParseContext, Setting } from './config/setting-kinds.ts'
import { SETTINGS } from './config/settings.ts'

/** Each field is a setting: its unit, range and meaning are said there. Empty text: none. Secrets that are not set are undefined. */
export type Config = { readonly [Field in keyof typeof SETTINGS]: ValueOf<(typeof SETTINGS)[Field]> }
type ValueOf<Of> = Of extends Setting<infer Value> ? Value : never

export type ConfigResult = { readonly ok: true; readonly config: Config } | { readonly ok: false; readonly mistakes: readonly string[] }

type Environment = Readonly<Record<string, string | undefined>>

export interface ConfigOptions extends Partial<ParseContext> {
  /** The text of the file that CONFIG_FILE names; undefined where it cannot be read. */
  readonly readFile?: (path: string) => string | undefined
}

const ALL: readonly Setting<unknown>[] = Object.values(SETTINGS)
const NAMES = ALL.map(({ name }) => name)

export function parseConfig(environment: Environment, options: ConfigOptions = {}): ConfigResult {
  const mistakes: string[] = []
  const context = { resolvePath: options.resolvePath ?? ((path: string) => path) }
  const source = collectValues(environment, { ...options, ...context }, mistakes)
  const values = Object.fromEntries(
    Object.entries(SETTINGS).map(([field, setting]) => [field, readSetting(setting, { source, context, mistakes })]),
  )
  if (!isConfig(values)) throw new Error('a setting was not read')
  mistakes.push(...findConflicts(values, (name) => source.has(name)))
  if (mistakes.length > 0) return { ok: false, mistakes }
  return { ok: true, config: closeToNetworks(values, (name) => source.has(name)) }
}

/** Open to this machine by default; open to a network only where somebody has said so. */
function closeToNetworks(config: Config, isGiven: (name: string) => boolean): Config {
  const isPublic = !isLoopback(config.host)
  const isCompatPublic = isPublic || (config.compatPorts.length > 0 && !isLoopback(config.compatHost))
  return {
    ...config,
    ...(isPublic && !isGiven(SETTINGS.anonymousRoles.name) ? { anonymousRoles: [] } : {}),
    ...(isCompatPublic && !isGiven(SETTINGS.compatAuth.name) ? { compatAuth: 'token' } : {}),
  }
}

interface Given {
  readonly value: unknown
  /** `environment`, or the file's path. */
  readonly where: string
}

/** By name, only what is set. The environment wins, where it is not empty. */
function collectValues(
  environment: Environment,
  { readFile = () => undefined, resolvePath }: ConfigOptions & ParseContext,
  mistakes: string[],
): ReadonlyMap<string, Given> {
  const given = new Map<string, Given>()
  const give = (setting: Setting<unknown>, { value, where }: Given): void => {
    if (value !== '' || setting.takesEmpty) given.set(setting.name, { value, where })
  }
  const { name: fileSetting } = SETTINGS.configFile
  const file = environment[fileSetting]
  if (file !== undefined && file !== '') {
    const read = readConfigFile(readFile(resolvePath(file)))
    if (!read.ok) mistakes.push(`${fileSetting} (${file}) ${read.wrong}.`)
    for (const [name, value] of read.ok ? read.members : []) {
      const setting = ALL.find((candidate) => candidate.name === name && name !== fileSetting)
      if (setting === undefined) mistakes.push(toUnknownName(name, file))
      else give(setting, { value, where: file })
    }
  }
  for (const setting of ALL) {
    const value = environment[setting.name]
    if (value !== undefined) give(setting, { value, where: 'environment' })
  }
  return given
}

function toUnknownName(name: string, file: string): string {
  const { name: fileSetting } = SETTINGS.configFile
  if (name === fileSetting) return `${fileSetting} (${file}) can be set in the environment only.`
  const nearest = findNearestName(name, NAMES)
  const hint = nearest === undefined ? '"npm start -- --help" lists them' : `did you mean ${nearest}?`
  return `${JSON.stringify(name.slice(0, 64))} (${file}) is no setting: ${hint}`
}

interface Reading {
  readonly source: ReadonlyMap<string, Given>
  readonly context: ParseContext
  readonly mistakes: string[]
}

function readSetting(setting: Setting<unknown>, { source, context, mistakes }: Reading): unknown {
  const given = source.get(setting.name)
  if (given === undefined) return setting.toDefault(context)
  const parsed = setting.parse(given.value, context)
  if (parsed.ok) return parsed.value
  mistakes.push(...parsed.wrongs.map((wrong) => `${setting.name} (${given.where})${wrong.startsWith(',') ? '' : ' '}${wrong}.`))
  return setting.toDefault(context)
}

/** Each kind has checked its value; this sees that none was left out. */
function isConfig(values: Readonly<Record<string, unknown>>): values is Config {
  return Object.keys(SETTINGS).every((field) => Object.hasOwn(values, field))
}
