import { at, contrast, type FieldProblem, VISIBLE } from '#kernel'

const WHITE = '#ffffff'

/**
 * A primary colour is the area of buttons and the text of links, on white: one that melts into it is refused. What stands
 * on buttons is black or white, whichever can be read. The accent colour carries nothing that must be seen.
 */
export function* checkColors({ primary_color: color }: { primary_color?: unknown }): Iterable<FieldProblem> {
  if (typeof color !== 'string' || !/^#[0-9a-f]{6}$/i.test(color)) return
  const ratio = contrast(color, WHITE)
  if (ratio >= VISIBLE) return
  // Rounded down, so that it never looks like enough.
  const shown = (Math.floor(ratio * 100) / 100).toFixed(2)
  yield at(
    'primary_color',
    `has a contrast of ${shown} to white, and ${VISIBLE} is the least that buttons and links need: take a darker one`,
  )
}
