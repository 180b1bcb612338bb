/** Where a piece of a resumable upload lies until all of it is there. */
export const piecePath = (path: string, piece: number): string => `${path.replace(/^files\//, 'uploads/')}/${piece}`
