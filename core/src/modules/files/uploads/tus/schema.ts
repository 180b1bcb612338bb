import { Described, Type, Uuid } from '#kernel'

const SOME_METADATA = 'filename bWVudS5wZGY=,filetype YXBwbGljYXRpb24vcGRm'

/** Without it, or with another version, an answer is 412. */
const version = {
  'tus-resumable': Type.Optional(
    Type.String({ maxLength: 50, description: 'The version of the protocol: `1.0.0`', examples: ['1.0.0'] }),
  ),
}

export const AnyHeaders = Type.Object(version)

export const BeginHeaders = Type.Object({
  ...version,
  'upload-length': Type.Integer({ minimum: 1, description: 'The size of the file in bytes', examples: [1_048_576] }),
  'upload-metadata': Type.String({
    minLength: 1,
    maxLength: 4_000,
    description:
      'Pairs of a name and a value in Base64: `filename`, and where wanted `filetype`, `entity_type`, `entity_id`, `is_public` (`true`). Others are kept and mean nothing',
    examples: [SOME_METADATA],
  }),
})

export const SendHeaders = Type.Object({
  ...version,
  'upload-offset': Type.Integer({ minimum: 0, description: 'How many bytes are there before these', examples: [0] }),
})

export const TusParams = Type.Object({ id: Described(Uuid, 'The id of the upload, and later of the file') })
