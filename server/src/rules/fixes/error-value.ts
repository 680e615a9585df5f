/** Makes the branch of a failed allocation hand on the error that the pointer carries. */
import type { Edit } from '../../text/span.ts';
import type { Expr, FunctionIr, Stmt } from '../../ir/types.ts';
import { declaredType, walk, walkWithParents, type IrNode } from '../locate.ts';
import { insertGuarded } from './error-style.ts';
import { replace } from './text.ts';

/**
 * `return -ENOMEM;` and `ret = -ENOMEM;` in the branch become the error of the pointer; a code that
 * the branch chooses by a test of its own stays. A branch that returns a variable it does not set
 * returns that error too: what the variable holds is not about this failure, and may be 0.
 * @param branch what runs when the allocation has failed.
 * @param pointer the source text of the pointer.
 */
export function handOnError(text: string, fn: FunctionIr, branch: Stmt, pointer: string): Edit[] {
  if (fn.returnType.pointers > 0) return [];
  const error = `PTR_ERR(${pointer})`;
  const edits: Edit[] = [];
  const assigned = new Set<string>();
  for (const { node, parents } of walkWithParents(branch)) {
    if (node.kind === 'assign' && node.target.kind === 'name') assigned.add(node.target.name);
    const value = assigned.has(pointer) || parents.some(isChoice) ? null : carriedBy(node);
    if (value !== null && isErrno(value)) edits.push(replace(value, error));
  }
  // The pointer does not carry the error any more.
  if (assigned.has(pointer)) return edits;
  const leave = branch.kind === 'block' ? branch.body.at(-1) : branch;
  const returned = leave === undefined ? null : returnedBy(fn, leave);
  if (leave === undefined || returned === null || assigned.has(returned)) return edits;
  if (!isErrorVariable(fn, returned)) return edits;
  if (leave.kind === 'return') return [...edits, replace(leave.value!, error)];
  return [...edits, ...(insertGuarded(text, fn, leave, [`${returned} = ${error};`]) ?? [])];
}

function isChoice({ kind }: IrNode): boolean {
  return kind === 'if' || kind === 'switch' || kind === 'loop';
}

/** The value that a node returns or assigns, or that it reports and returns. */
function carriedBy(node: IrNode): Expr | null {
  if (node.kind === 'return') return node.value;
  if (node.kind === 'assign') return node.op === '=' ? node.value : null;
  return node.kind === 'call' && node.name === 'dev_err_probe' ? (node.args[1] ?? null) : null;
}

/** `-ENOMEM` and its like. */
function isErrno(value: Expr): boolean {
  if (value.kind !== 'unary' || value.op !== '-' || value.operand.kind !== 'name') return false;
  return /^E[A-Z0-9]+$/.test(value.operand.name);
}

/**
 * The variable that is returned by a return, or behind the label of a goto if nothing sets it
 * there.
 */
function returnedBy(fn: FunctionIr, leave: Stmt): string | null {
  if (leave.kind === 'return') return leave.value?.kind === 'name' ? leave.value.name : null;
  if (leave.kind !== 'goto') return null;
  const body = fn.body.body;
  const label = body.findIndex((one) => one.kind === 'label' && one.name === leave.label);
  const end = body.findIndex((one, i) => label >= 0 && i > label && one.kind === 'return');
  const last = body[end];
  if (last?.kind !== 'return' || last.value?.kind !== 'name') return null;
  const { name } = last.value;
  return body.slice(label, end).some((one) => sets(one, name)) ? null : name;
}

function sets(statement: Stmt, name: string): boolean {
  return [...walk(statement)].some((node) => {
    return node.kind === 'assign' && node.target.kind === 'name' && node.target.name === name;
  });
}

/** A local number: a pointer or a bool cannot carry an error code. */
function isErrorVariable(fn: FunctionIr, name: string): boolean {
  const type = declaredType(fn, name);
  return type !== null && type.pointers === 0 && /^(?:int|long|ssize_t)$/.test(type.name);
}
