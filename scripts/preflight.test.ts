import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'

let folder = ''

/** A clone with nothing in it but what `npm start` looks at first. */
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'semblante-start-'))
  mkdirSync(join(folder, 'scripts'))
  for (const name of ['start.mjs', 'preflight.mjs']) cpSync(join('scripts', name), join(folder, 'scripts', name))
})

afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

function start(wantedNode: string) {
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module', engines: { node: wantedNode } }))
  return spawnSync(process.execPath, ['scripts/start.mjs'], { cwd: folder, encoding: 'utf8' })
}

it('[ST1] says in one sentence that the packages are missing', () => {
  const { status, stderr } = start('>=20.19')
  expect(status).toBe(1)
  expect(stderr).toBe('The packages are not installed; run "npm ci" in this folder first.\n')
})

it('[ST2] says in one sentence that Node is too old', () => {
  const { status, stderr } = start('>=999.1')
  expect(status).toBe(1)
  expect(stderr).toContain('needs Node 999.1 or later')
  expect(stderr.trim().split('\n')).toHaveLength(1)
})
