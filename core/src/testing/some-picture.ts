import type { SentFile } from './form.ts'

const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAMAAADz0U65AAAAA1BMVEUdTthVdjWUAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAADElEQVQImWNgoA4AAABIAAF7pRHIAAAAAElFTkSuQmCC'

/** A picture that every route takes that takes pictures: a PNG of 8 × 8 pixels. */
export const SOME_PICTURE: SentFile = { name: 'picture.png', content: Buffer.from(PNG, 'base64'), type: 'image/png' }
