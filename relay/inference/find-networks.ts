/** Where the networks lie: in the built page, or where the build takes them from. Looks only; reading and verifying is the threads'. */
import { access, readdir, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DETECTOR_FILE, MANIFEST_FILE } from '#shared/vision/face-networks'
import type { NetworkPlace } from './inference-thread.ts'

export interface NetworkFolders {
  /** The built page. */
  readonly staticDir: string
  /** Further emotion networks; empty for none. */
  readonly modelsDir: string
  /** The one of them that is wanted, with or without `.json`; empty for the one that ships. */
  readonly emotionModel: string
}

/** Before a build the detector may be here already: what the build makes the page from. */
const SOURCE_FOLDER = join(dirname(fileURLToPath(import.meta.url)), '../../web/public/models')

export async function findNetworks({ staticDir, modelsDir, emotionModel }: NetworkFolders): Promise<NetworkPlace | undefined> {
  const folders = [...(await listModelFolders(staticDir)), SOURCE_FOLDER]
  for (const folder of folders) {
    const detector = join(folder, DETECTOR_FILE)
    const shipped = join(folder, MANIFEST_FILE)
    if (!(await exists(detector)) || !(await exists(shipped))) continue
    const wanted =
      emotionModel === '' ? [] : [join(resolve(modelsDir), emotionModel.endsWith('.json') ? emotionModel : `${emotionModel}.json`)]
    return { detector, manifests: [...wanted, shipped] }
  }
  return undefined
}

/** The build names the folder by its content; should several be there, the newest counts. */
async function listModelFolders(staticDir: string): Promise<readonly string[]> {
  const assets = join(resolve(staticDir), 'assets')
  const names = await readdir(assets).catch(() => [])
  const found = await Promise.all(
    names
      .filter((name) => name.startsWith('models-'))
      .map(async (name) => {
        const folder = join(assets, name)
        return {
          folder,
          madeAt: await stat(folder).then(
            ({ mtimeMs }) => mtimeMs,
            () => 0,
          ),
        }
      }),
  )
  return found.sort((a, b) => b.madeAt - a.madeAt).map(({ folder }) => folder)
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}
