/** The relay as a process: reads the settings, starts, says what people need to know, stops on signals. The only file that knows `process`. */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createSystemRelay, type Relay } from './app.ts'
import { parseConfig, type Config } from './config.ts'
import { writeSettingsHelp } from './config/settings-help.ts'
import { writeGreeting } from './greeting.ts'
import { explainProblem } from './start-problem.ts'

/** What a stop may take beyond DRAIN_SECONDS. A drain that hangs ends here. */
const EXIT_SPARE_SECONDS = 2
const ADMIN_TOKEN_BYTES = 32

async function run(words: readonly string[]): Promise<void> {
  if (words.some((word) => word === '--help' || word === '-h')) {
    process.stdout.write(writeSettingsHelp())
    return
  }
  if (words.length > 0) {
    giveUp('The relay takes its settings from the environment and from CONFIG_FILE, and no arguments: "npm start -- --help" lists them.')
    return
  }
  const parsed = parseConfig(process.env, { resolvePath: toProjectPath, readFile: readTextIfThere })
  if (parsed.ok) await start(parsed.config)
  else giveUp(parsed.mistakes.length === 1 ? parsed.mistakes.join('') : ['The settings have mistakes:', ...parsed.mistakes].join('\n- '))
}

async function start(config: Config): Promise<void> {
  const generatedAdminToken = config.adminToken === undefined ? randomBytes(ADMIN_TOKEN_BYTES).toString('base64url') : undefined
  const { relay, log } = createSystemRelay(
    { ...config, adminToken: config.adminToken ?? generatedAdminToken },
    `semblante/${readVersion()}`,
  )
  process.on('uncaughtException', (error) => {
    log.error({ event: 'process.uncaught', error: error.stack ?? error.message })
    process.exit(1)
  })
  stopOnSignals(relay, (config.drainSeconds + EXIT_SPARE_SECONDS) * 1_000)
  const started = await relay.start()
  if (!started.ok) giveUp(explainProblem(started.problem, started.details, config))
  else
    process.stdout.write(
      writeGreeting({ config, port: started.port, transport: started.transport, compatPorts: started.compatPorts, generatedAdminToken }),
    )
}

function stopOnSignals(relay: Relay, exitMs: number): void {
  let isStopping = false
  const onSignal = (): void => {
    if (isStopping) process.exit(1)
    isStopping = true
    setTimeout(() => process.exit(1), exitMs).unref()
    void relay.stop().then(() => process.exit(0))
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  // A terminal that goes away is no reason to stop. Settings are read at the start only; the machines file is read again.
  process.on('SIGHUP', () => void relay.reload())
}

function giveUp(sentence: string): void {
  process.stderr.write(`${sentence}\n`)
  process.exitCode = 1
}

function toProjectPath(path: string): string {
  return resolve(fileURLToPath(new URL('../', import.meta.url)), path)
}

function readTextIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(toProjectPath('package.json'), 'utf8'))
  const version: unknown = typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : undefined
  return typeof version === 'string' ? version : '0.0.0'
}

await run(process.argv.slice(2))
