import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { fingerprintInputs } from './build-inputs.ts'

let root = ''

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'semblante-inputs-'))
  await mkdir(join(root, 'web/src/paraglide'), { recursive: true })
  await mkdir(join(root, 'shared/protocol'), { recursive: true })
  await writeFile(join(root, 'web/src/app.ts'), 'one')
})

afterEach(async () => {
  await rm(root, { recursive: true, force: true })
})

it('[BU1] a changed source makes the build stale', async () => {
  const before = await fingerprintInputs(root)
  await writeFile(join(root, 'web/src/app.ts'), 'two')
  expect(await fingerprintInputs(root)).not.toBe(before)
})

it('[BU1] a new and a renamed source make the build stale', async () => {
  const before = await fingerprintInputs(root)
  await writeFile(join(root, 'shared/protocol/a.ts'), '')
  const withFile = await fingerprintInputs(root)
  await rm(join(root, 'shared/protocol/a.ts'))
  await writeFile(join(root, 'shared/protocol/b.ts'), '')
  expect(new Set([before, withFile, await fingerprintInputs(root)]).size).toBe(3)
})

it('[BU2] dates, tests and what the build writes itself change nothing', async () => {
  const before = await fingerprintInputs(root)
  await utimes(join(root, 'web/src/app.ts'), 1, 1)
  await writeFile(join(root, 'web/src/paraglide/runtime.js'), 'made')
  await writeFile(join(root, 'web/src/app.test.ts'), 'test')
  expect(await fingerprintInputs(root)).toBe(before)
})
