/** The key by which the name of a role is unique, regardless of case and spacing. */
export const keyOfName = (name: string): string => name.normalize('NFKC').replace(/\s+/g, ' ').trim().toLowerCase()
