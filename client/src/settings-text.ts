/** The text of a settings file, changed in one place and left as it is in all others. */
import { applyEdits, modify, parse, type ParseError } from 'jsonc-parser';

/**
 * The text of a settings file with a severity for a rule; what else it has stays as it is.
 * Undefined where the text is no JSON object.
 * @param text undefined for a new file.
 */
export function withSeverity(
  text: string | undefined,
  rule: string,
  severity: string,
): string | undefined {
  const before = text === undefined || text.trim() === '' ? '{}\n' : text;
  const errors: ParseError[] = [];
  const value: unknown = parse(before, errors);
  if (errors.length > 0 || typeof value !== 'object' || value === null || Array.isArray(value))
    return undefined;
  const { rules } = value as { readonly rules?: unknown };
  if (rules !== undefined && (typeof rules !== 'object' || rules === null || Array.isArray(rules)))
    return undefined;
  const indent = /^[ \t]+(?=")/m.exec(before)?.[0] ?? '  ';
  const eol = before.includes('\r\n') ? '\r\n' : '\n';
  const formattingOptions = { insertSpaces: !indent.startsWith('\t'), tabSize: indent.length, eol };
  return applyEdits(before, modify(before, ['rules', rule], severity, { formattingOptions }));
}
