/** The JSON Schema of a setting, for editors. */
import { toJsonSchema } from '@valibot/to-json-schema';
import type { GenericSchema } from 'valibot';

type JsonSchema = ReturnType<typeof toJsonSchema>;

/** Draft 7, which VS Code reads; what only valibot knows of is left out. */
export function jsonSchemaOf(schema: GenericSchema): JsonSchema {
  return toJsonSchema(schema, {
    target: 'draft-07',
    typeMode: 'output',
    overrideSchema: ({ jsonSchema }) => {
      const closed = isNever(jsonSchema.additionalProperties);
      const { type, required, ...rest } = jsonSchema;
      return {
        ...(type && { type }),
        ...rest,
        ...(required && required.length > 0 && { required }),
        ...(closed && { additionalProperties: false }),
      };
    },
    ignoreActions: ['readonly'],
  });
}

function isNever(schema: JsonSchema['additionalProperties']): boolean {
  return typeof schema === 'object' && Object.keys(schema.not ?? { x: 0 }).length === 0;
}
