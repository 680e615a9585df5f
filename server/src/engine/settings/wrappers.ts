/** The row of the knowledge base that a user's description of a function becomes. */
import { isKernelName, type ExtraFunctions } from '../../kernel/lookup.ts';
import { ALWAYS } from '../../kernel/behaviour-builders.ts';
import type { Behaviour, Effect } from '../../kernel/types.ts';
import type { Wrapper } from './schema.ts';
import { OPERATIONS, type Meaning, type Operation } from './wrapper-words.ts';

export interface WrapperRows {
  /** Undefined when there is none, as for a module without wrappers. */
  readonly rows: ExtraFunctions | undefined;
  /** One sentence for each wrapper that was passed over. */
  readonly problems: readonly string[];
}

const known = new WeakMap<readonly Wrapper[], WrapperRows>();

/** The rows of some wrappers: one object for one list, because results are kept by it. */
export function rowsOf(wrappers: readonly Wrapper[]): WrapperRows {
  let made = known.get(wrappers);
  if (!made) known.set(wrappers, (made = makeRows(wrappers)));
  return made;
}

function makeRows(wrappers: readonly Wrapper[]): WrapperRows {
  const rows = new Map<string, readonly Behaviour[]>();
  const problems: string[] = [];
  for (const wrapper of wrappers) {
    const { name } = wrapper;
    const row = behaviourOf(wrapper);
    if (isKernelName(name))
      problems.push(`wrappers: ${name} is a function of the kernel, whose meaning is known`);
    else if (rows.has(name))
      problems.push(`wrappers: ${name} is described twice; the first description counts`);
    else if (typeof row === 'string') problems.push(`wrappers: ${name}: ${row}`);
    else rows.set(name, [row]);
  }
  return { rows: rows.size > 0 ? rows : undefined, problems };
}

/** The row, or why there is none. */
function behaviourOf(wrapper: Wrapper): Behaviour | string {
  const meanings = listOf(wrapper.does).map((word): Meaning => OPERATIONS[word]);
  const success = effectsOf(listOf(wrapper.does), wrapper);
  const failure = effectsOf(listOf(wrapper.onFailure ?? []), wrapper);
  const makes = [...success, ...failure].some(
    (effect) => 'target' in effect && effect.target === 'return',
  );
  const usual = meanings.find((one) => one.errors !== 'void')?.errors ?? 'void';
  const errors = wrapper.errors ?? (wrapper.out === undefined ? usual : 'errno');
  if (wrapper.out !== undefined && !makes)
    return 'it has "out", where it stores what it makes, and makes nothing';
  if (wrapper.out !== undefined && errors !== 'errno' && errors !== 'void')
    return `it stores what it makes in its argument ${wrapper.out}, so that "errors" is errno or void, not ${errors}`;
  if (wrapper.out === undefined && makes && errors !== 'err-ptr' && errors !== 'null-ptr')
    return `it returns what it makes, so that "errors" is err-ptr or null-ptr, not ${errors}; name the argument with "out" where it stores that in one`;
  if (failure.length > 0 && (errors === 'void' || errors === 'value'))
    return 'it has "onFailure" but no "errors" that tell of a failure';
  return { kernels: ALWAYS, errors, success, ...(failure.length > 0 && { failure }) };
}

/** What the words stand for, on the argument that the row names. */
function effectsOf(words: readonly Operation[], wrapper: Wrapper): Effect[] {
  const { argument = 1, through, out } = wrapper;
  return words
    .flatMap((word) => (OPERATIONS[word] as Meaning).effect(argument - 1) ?? [])
    .map((effect) => {
      if (effect.op === 'alloc' || effect.op === 'allocate')
        return out === undefined ? effect : { ...effect, out: out - 1 };
      return through === undefined ? effect : { ...effect, through };
    });
}

function listOf(words: Operation | readonly Operation[]): readonly Operation[] {
  return typeof words === 'string' ? [words] : words;
}
