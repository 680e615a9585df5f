export interface Example {
  readonly name: string;
  /** File names in examples/conversion. */
  readonly sources: readonly string[];
}
export const examples: readonly Example[];
export function copyExamples(to: string): void;
export function convertExamples(
  to: string,
  kernel: string,
  style: 'minimal' | 'fold' | 'compat',
  more?: readonly string[],
): ReadonlyMap<string, string | undefined>;
