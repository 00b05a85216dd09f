/** Our client of Zephyrus' agents, as its owner would run it, and the start that Railway and Procfile hosts use. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openProgram, type ChildProgram } from '../../scripts/testing/child-program.ts'
import { openRealRelay, type RealRelay } from '../../scripts/testing/real-relay.ts'

const script = fileURLToPath(new URL('agent.mjs', import.meta.url))

describe('agent.mjs', () => {
  let relay: RealRelay
  beforeAll(async () => {
    relay = await openRealRelay(0, { COMPAT_ROLE: 'station' })
  })
  afterAll(() => relay[Symbol.asyncDispose]())
  const open = (...words: string[]): ChildProgram =>
    openProgram(process.execPath, [script, '--url', relay.url.replace('http', 'ws'), ...words])

  it('[EX50] creates an agent, starts it, executes it and removes it; who watches sees the agent, not the others', async () => {
    await using watcher = open('desk-1', 'watch')
    expect(await watcher.nextErrorLine()).toBe('hearing desk-1')
    const tasks = [
      [['desk-1', 'create', '{"name":"Minter","executor":"echo"}'], /"create_agent_response".*"Agente creado correctamente"/],
      [['desk-2', 'create'], /"create_agent_response"/],
      [['desk-1', 'say', 'create_schedule', '{"schedule_type":"once"}'], /"create_schedule_response"/],
      [['desk-2', 'start'], /"agent_started","data":\{"agent_id":"desk-2"\}/],
      [['desk-1', 'start'], /"agent_started","data":\{"agent_id":"desk-1"\}/],
      [['desk-1', 'execute', '{"amount":3}'], /"execute_response".*"processing"/],
      [['desk-1', 'remove'], /"agent_removed"/],
    ] as const
    for (const [words, line] of tasks) {
      await using program = open(...words)
      expect(await program.nextLine()).toMatch(line)
      expect(await program.ended).toBe(0)
    }
    expect(await watcher.nextLine()).toContain('"agent_id":"desk-1"')
    expect(await watcher.nextLine()).toContain('agent_removed')
  })
  it('[EX51] says what went wrong', async () => {
    await using program = open('nobody', 'execute')
    expect(await program.nextErrorLine()).toBe('No se encontró el agente con ID nobody')
    expect(await program.ended).toBe(1)
  })
})

describe('on Railway and Procfile hosts', () => {
  const read = (name: string): string => readFileSync(fileURLToPath(new URL(`../../${name}`, import.meta.url)), 'utf8')
  const { deploy }: { deploy: { startCommand: string; healthcheckPath: string } } = JSON.parse(read('railway.json'))

  /** What the start asks for where the relay can be reached from outside. */
  const PUBLIC = { HOST: '0.0.0.0', ADMIN_TOKEN: 'an-admin-token-of-24-letters' }

  it('[EX52] both start the same, reachable from outside, on the port they are given', async () => {
    expect(read('Procfile')).toBe(`web: ${deploy.startCommand}\n`)
    expect(deploy.startCommand).toBe('HOST=0.0.0.0 npm start')
    await using relay = await openRealRelay(0, PUBLIC)
    const health = await fetch(`${relay.url}${deploy.healthcheckPath}`)
    expect([health.status, await health.text()]).toEqual([200, 'OK'])
  })
  it('[EX53] there nobody comes in without a token, until the operator says so', async () => {
    await using closed = await openRealRelay(0, PUBLIC)
    await using refused = openProgram(process.execPath, [script, '--url', closed.url.replace('http', 'ws'), 'a', 'add'])
    expect(await refused.nextErrorLine()).toBe('refused with 401')
    await using opened = await openRealRelay(0, { ...PUBLIC, COMPAT_AUTH: 'none', COMPAT_ROLE: 'station' })
    await using welcome = openProgram(process.execPath, [script, '--url', opened.url.replace('http', 'ws'), 'a', 'add'])
    expect(await welcome.nextLine()).toContain('agent_added')
  })
})
