/** The relay as a process: reads the environment, starts, says what people need to know, stops on signals. The only file that knows `process`. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createSystemRelay, type Relay, type RelayStart } from './app.ts'
import { parseConfig, type Config } from './config.ts'

/** A drain that hangs ends here. */
const EXIT_MS = 5_000

type Problem = Extract<RelayStart, { ok: false }>['problem']

async function run(): Promise<void> {
  const parsed = parseConfig(process.env)
  if (!parsed.ok) {
    giveUp(parsed.mistakes.length === 1 ? parsed.mistakes.join('') : ['The settings have mistakes:', ...parsed.mistakes].join('\n- '))
    return
  }
  const config = {
    ...parsed.config,
    staticDir: toProjectPath(parsed.config.staticDir),
    modelsDir: parsed.config.modelsDir && toProjectPath(parsed.config.modelsDir),
  }
  const { relay, log } = createSystemRelay(config, `semblante/${readVersion()}`)
  process.on('uncaughtException', (error) => {
    log.error({ event: 'process.uncaught', error: error.stack ?? error.message })
    process.exit(1)
  })
  stopOnSignals(relay)
  const started = await relay.start()
  if (started.ok) greet(config, started)
  else giveUp(explain(started.problem, config))
}

function stopOnSignals(relay: Relay): void {
  let isStopping = false
  const onSignal = (): void => {
    if (isStopping) process.exit(1)
    isStopping = true
    setTimeout(() => process.exit(1), EXIT_MS).unref()
    void relay.stop().then(() => process.exit(0))
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
}

function giveUp(sentence: string): void {
  process.stderr.write(`${sentence}\n`)
  process.exitCode = 1
}

function explain(problem: Problem, { host, port, staticDir }: Config): string {
  switch (problem) {
    case 'page_missing':
      return `There is no built page in ${staticDir}: run "npm run build", or "npm start", which builds first.`
    case 'page_too_large':
      return `${staticDir} holds far more than the built page: set STATIC_DIR to the folder that "npm run build" writes.`
    case 'transport_missing':
      return 'RELAY_TRANSPORT=uws was asked for, but uWebSockets.js has no binary for this system: leave it out to use ws.'
    case 'busy':
      return `Port ${String(port)} is in use by another program: stop it, or choose another one with PORT=8081.`
    case 'denied':
      return `This user may not listen on port ${String(port)}: choose one from 1024 up, for example PORT=8080.`
    case 'unavailable':
      return `This machine has no address ${host}: set HOST to one of its own, or leave it out.`
  }
}

function greet(config: Config, { port, transport }: { readonly port: number; readonly transport: string }): void {
  const page = `http://${toUrlHost(config.host)}:${String(port)}`
  const isUsual = port === 8080
  const tail = isUsual ? 'npm run tail' : `npm run tail -- --url ${page}`
  const transportNote =
    transport === 'ws'
      ? 'ws and node:http (no uWebSockets.js binary for this Node, or RELAY_TRANSPORT=ws: slower, works the same)'
      : transport
  process.stdout.write(
    [
      '',
      `  Semblante is running on ${transportNote}.`,
      '',
      `  Page     ${page}/`,
      `  Token    curl -s -X POST ${page}/api/auth/acquire-session`,
      `  Listen   ${tail}`,
      `  Sockets  ${page.replace('http', 'ws')}/relay?token=TOKEN  (subprotocol semblante.v1)`,
      '',
      '  Ctrl+C stops it.',
      '',
    ].join('\n') + '\n',
  )
}

function toUrlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}

function toProjectPath(path: string): string {
  return resolve(fileURLToPath(new URL('../', import.meta.url)), path)
}

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(toProjectPath('package.json'), 'utf8'))
  const version: unknown = typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : undefined
  return typeof version === 'string' ? version : '0.0.0'
}

await run()
