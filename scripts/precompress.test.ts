import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { precompress } from './precompress.ts'

let folder = ''
let cacheFolder = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'semblante-dist-'))
  cacheFolder = await mkdtemp(join(tmpdir(), 'semblante-cache-'))
})

afterEach(async () => {
  await rm(folder, { recursive: true })
  await rm(cacheFolder, { recursive: true })
})

const text = 'una línea que se repite mucho; '.repeat(200)

describe('precompress', () => {
  it('[PC1] writes copies that unpack to the original', async () => {
    await writeFile(join(folder, 'page.js'), text)
    await precompress(folder, { cacheFolder })
    expect(brotliDecompressSync(await readFile(join(folder, 'page.js.br'))).toString()).toBe(text)
    expect(gunzipSync(await readFile(join(folder, 'page.js.gz'))).toString()).toBe(text)
  })

  it('[PC2] leaves small files, pictures and what does not shrink alone', async () => {
    await writeFile(join(folder, 'small.js'), 'let a')
    await writeFile(join(folder, 'picture.png'), text)
    await writeFile(join(folder, 'packed.bin'), await readFile('web/public/icons/icon-512.png'))
    await precompress(folder, { cacheFolder })
    const copies = (await readdir(folder)).filter((name) => /\.(br|gz)$/.test(name))
    expect(copies).toEqual([])
  })

  it('[PC3] takes unchanged files from the cache and follows changed ones', async () => {
    await writeFile(join(folder, 'page.js'), text)
    await precompress(folder, { cacheFolder })
    const cached = await readdir(cacheFolder)
    const times = await Promise.all(cached.map(async (name) => (await stat(join(cacheFolder, name))).mtimeMs))
    await precompress(folder, { cacheFolder })
    expect(await Promise.all(cached.map(async (name) => (await stat(join(cacheFolder, name))).mtimeMs))).toEqual(times)
    await writeFile(join(folder, 'page.js'), `${text}changed`)
    await precompress(folder, { cacheFolder })
    expect(brotliDecompressSync(await readFile(join(folder, 'page.js.br'))).toString()).toBe(`${text}changed`)
  })
})
