/** A list of strings with parameters that are whole numbers, as RFC 9651 writes it. Throws for anything else. */
export function readList(text: unknown): { name: string; [parameter: string]: string | number }[] {
  if (typeof text !== 'string' || text === '') throw new Error(`This is no list: ${text}`)
  let rest = text
  const take = (pattern: RegExp): string => {
    const found = pattern.exec(rest)
    if (!found) throw new Error(`This is no list of strings (at ${rest}): ${text}`)
    rest = rest.slice(found[0].length)
    return found[1] ?? ''
  }
  const members: ReturnType<typeof readList> = []
  for (;;) {
    const member: (typeof members)[number] = { name: take(/^"([\x20-\x21\x23-\x5b\x5d-\x7e]*)"/) }
    while (rest.startsWith(';')) {
      const parameter = take(/^; *([a-z*][a-z0-9_.*-]*)=/)
      member[parameter] = Number(take(/^(-?\d{1,15})(?![\d.])/))
    }
    members.push(member)
    if (rest === '') return members
    take(/^[ \t]*,[ \t]*(?=.)/)
  }
}
