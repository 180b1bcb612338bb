const COLOR = /^#[0-9a-f]{6}$/i

/** A colour that was stored, or the default where it is none. */
export function colorOr(color: string | null | undefined, fallback: string): string {
  return color && COLOR.test(color) ? color.toLowerCase() : fallback
}

/** The contrast of two colours as WCAG 2 has it: 1 to 21. */
export function contrast(a: string, b: string): number {
  const [darker = 0, lighter = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y)
  return (lighter + 0.05) / (darker + 0.05)
}

/** What can be read on the colour: one of the two has a contrast of 4.5 at least, since that of black on white is 21. */
export function readableOn(color: string): string {
  return contrast(color, WHITE) >= LEGIBLE ? WHITE : BLACK
}

/** The edge of an area: its own colour, or that of its text where the area would melt into what is around it. */
export function edgeOf(color: string, around: string): string {
  return contrast(color, around) >= VISIBLE ? color : readableOn(color)
}

const WHITE = '#ffffff'
const BLACK = '#000000'
/** The least contrast of text of normal size (WCAG 1.4.3). */
const LEGIBLE = 4.5
/** The least contrast of what is no text, such as the area of a button (WCAG 1.4.11). */
export const VISIBLE = 3

function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) =>
    linear(Number.parseInt(color.slice(at, at + 2), 16) / 255),
  )
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

const linear = (share: number) => (share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4)
