import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { succeed } from '#shared/protocol/errors'
import type { HttpRequest, HttpResponse } from '../../ports.ts'
import { loadStaticFiles, type StaticFiles } from './static-files.ts'

let folder = ''
let files: StaticFiles

const CONTENT: Readonly<Record<string, string>> = {
  'index.html': '<!doctype html>',
  'sw.js': 'worker',
  'manifest.webmanifest': '{}',
  'assets/app-Ab12Cd34.js': 'script',
  'assets/app-Ab12Cd34.js.br': 'br script',
  'assets/app-Ab12Cd34.js.gz': 'gz script',
  'assets/ort-XyZ12345.wasm': 'wasm',
  'assets/models-81b1e2fb97/emotion.onnx': 'onnx',
  'models/emotion.onnx': 'onnx',
  'models/data.gz': 'no copy of anything',
  'señal ü.txt': 'text',
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'semblante-static-'))
  await writeFile(join(folder, '..', 'semblante-secret.txt'), 'secret')
  for (const [path, text] of Object.entries(CONTENT)) {
    await mkdir(join(folder, path, '..'), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  const loaded = await loadStaticFiles(folder)
  if (!loaded.ok) throw new Error(loaded.problem)
  files = loaded.files
})
afterAll(async () => {
  await rm(folder, { recursive: true })
  await rm(join(folder, '..', 'semblante-secret.txt'))
})

function find(path: string, headers: Readonly<Record<string, string>> = {}): HttpResponse | undefined {
  const request: HttpRequest = {
    method: 'GET',
    path,
    query: new URLSearchParams(),
    headers: new Map(Object.entries(headers)),
    remoteAddress: '',
    readBody: () => Promise.resolve(succeed(new Uint8Array())),
    onGone: () => undefined,
  }
  return files.find(path, request)
}

function textOf(response: HttpResponse | undefined): string {
  return response === undefined ? 'nothing' : Buffer.from(response.body).toString('utf8')
}

describe('static files', () => {
  it.each([
    ['/index.html', 'text/html; charset=utf-8'],
    ['/sw.js', 'text/javascript; charset=utf-8'],
    ['/manifest.webmanifest', 'application/manifest+json; charset=utf-8'],
    ['/assets/ort-XyZ12345.wasm', 'application/wasm'],
    ['/models/emotion.onnx', 'application/octet-stream'],
  ])('[SF1] serves %s as %s with the security headers', (path, mediaType) => {
    const headers = find(path)?.headers ?? {}
    expect(headers['content-type']).toBe(mediaType)
    expect(headers['cross-origin-opener-policy']).toBe('same-origin')
    expect(headers['cross-origin-embedder-policy']).toBe('require-corp')
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(headers['content-security-policy']).toContain("script-src 'self' 'wasm-unsafe-eval'")
  })
  it.each([
    ['br, gzip', 'br', 'br script'],
    ['gzip, deflate, br;q=1.0', 'br', 'br script'],
    ['gzip', 'gzip', 'gz script'],
    ['br;q=0, gzip', 'gzip', 'gz script'],
    ['identity', undefined, 'script'],
    ['', undefined, 'script'],
  ])('[SF2] chooses the copy for Accept-Encoding %j', (accepted, encoding, text) => {
    const response = find('/assets/app-Ab12Cd34.js', { 'accept-encoding': accepted })
    expect([response?.headers['content-encoding'], textOf(response), response?.headers.vary]).toEqual([encoding, text, 'accept-encoding'])
  })
  it('[SF3] caches what is named by its content for ever, asks again for the rest', () => {
    for (const path of ['/assets/app-Ab12Cd34.js', '/assets/models-81b1e2fb97/emotion.onnx']) {
      expect([path, find(path)?.headers['cache-control']]).toEqual([path, 'public, max-age=31536000, immutable'])
    }
    for (const path of ['/index.html', '/sw.js', '/manifest.webmanifest', '/models/emotion.onnx']) {
      expect([path, find(path)?.headers['cache-control']]).toEqual([path, 'no-cache'])
    }
  })
  it('[SF4] answers 304 to who has it already, in that encoding', () => {
    const etag = find('/index.html')?.headers.etag ?? ''
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const response = find('/index.html', { 'if-none-match': known })
      expect([known, response?.status, response?.body]).toEqual([known, 304, ''])
    }
    expect(find('/index.html', { 'if-none-match': '"other"' })?.status).toBe(200)
    const plain = find('/assets/app-Ab12Cd34.js')?.headers.etag ?? ''
    expect(find('/assets/app-Ab12Cd34.js', { 'if-none-match': plain, 'accept-encoding': 'br' })?.status).toBe(200)
  })
  it.each([
    '/../semblante-secret.txt',
    '/%2e%2e/semblante-secret.txt',
    '/..%2fsemblante-secret.txt',
    '/assets/../../semblante-secret.txt',
    '//index.html',
    '/index.html/',
    '/index.html%00',
    '/%zz',
    '/assets',
    '/__proto__',
    '',
  ])('[SF5] finds nothing at %s', (path) => {
    expect(find(path)).toBeUndefined()
  })
  it('[SF6] finds percent-encoded names, hides compressed copies, keeps archives that are no copies', () => {
    expect(textOf(find('/se%C3%B1al%20%C3%BC.txt'))).toBe('text')
    expect(find('/assets/app-Ab12Cd34.js.br')).toBeUndefined()
    expect(textOf(find('/models/data.gz'))).toBe('no copy of anything')
  })
  it('[SF7] says when there is no page', async () => {
    expect(await loadStaticFiles(join(folder, 'models'))).toEqual({ ok: false, problem: 'missing' })
    expect(await loadStaticFiles(join(folder, 'nowhere'))).toEqual({ ok: false, problem: 'missing' })
  })

  it('serves networks and manifests dropped into another folder under /models/, and nothing else of it', async () => {
    const models = await mkdtemp(join(tmpdir(), 'semblante-models-'))
    await Promise.all(['mine.json', 'mine.onnx', 'notes.txt', '.env'].map((name) => writeFile(join(models, name), name)))
    const loaded = await loadStaticFiles(folder, models)
    await rm(models, { recursive: true })
    if (!loaded.ok) throw new Error(loaded.problem)
    const served = (path: string) =>
      loaded.files.find(path, {
        method: 'GET',
        path,
        query: new URLSearchParams(),
        headers: new Map(),
        remoteAddress: '',
        readBody: () => Promise.resolve(succeed(new Uint8Array())),
        onGone: () => undefined,
      })
    expect(['/models/mine.json', '/models/mine.onnx', '/models/notes.txt', '/models/.env'].map((path) => textOf(served(path)))).toEqual([
      'mine.json',
      'mine.onnx',
      'nothing',
      'nothing',
    ])
    expect(textOf(served('/index.html'))).toBe('<!doctype html>')
  })
})
