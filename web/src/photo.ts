/** Puts the photo page together. Loaded when somebody opens it, so that a tablet that only reads its camera never pays for it. */
import type { PhotoArea } from './state/app-context.ts'
import { createPhotoState } from './state/photo-state.svelte.ts'
import { takeSharedFiles } from './state/shared-files.ts'
import PhotoPage from './ui/photo/PhotoPage.svelte'
import { openFilmFile } from './vision/film-file.ts'
import { openPictureFile } from './vision/picture-file.ts'
import { createPictureReader } from './vision/picture-reader.ts'
import type { VisionClient } from './vision/vision-client.ts'

/** @param client of the page's own, see `createPictureReader`. */
export function createPhotoArea(client: VisionClient): PhotoArea {
  const photos = createPhotoState({
    reader: createPictureReader(client),
    openPicture: openPictureFile,
    openFilm: openFilmFile,
    takeShared: () => takeSharedFiles(window.isSecureContext ? window.caches : undefined),
    now: () => performance.now(),
  })
  return { Page: PhotoPage, props: { photos } }
}
