/** Prints a control-flow graph, for Graphviz and as plain lines. */
import type { Cfg, Instr, Terminator } from './cfg.ts';
import { successors } from './cfg.ts';

/**
 * The graph in Graphviz DOT, with the source text of each instruction; `text` is the document the
 * function is in.
 */
export function printDot(cfg: Cfg, text: string): string {
  const lines = [
    `digraph ${JSON.stringify(cfg.function.name)} {`,
    '  node [shape=box, fontname=monospace];',
  ];
  for (const block of cfg.blocks) {
    const body = [
      ...block.instrs.map((instr) => instrText(instr, text)),
      terminatorText(block.terminator, text),
    ].filter(Boolean);
    lines.push(`  b${block.id} [label=${JSON.stringify([`b${block.id}`, ...body].join('\n'))}];`);
    for (const successor of successors(block)) lines.push(`  b${block.id} -> b${successor};`);
  }
  return lines.join('\n') + '\n}\n';
}

/** The graph as plain lines, one block each, for snapshots and `dump --stage cfg`. */
export function printCfg(cfg: Cfg, text: string): string {
  const reached = new Set([0]);
  for (const id of reached)
    for (const successor of successors(cfg.blocks[id]!)) reached.add(successor);
  return (
    cfg.blocks
      .filter((block) => reached.has(block.id))
      .map((block) =>
        [
          `b${block.id}:`,
          ...block.instrs.map((instr) => '  ' + instrText(instr, text)),
          `  ${terminatorText(block.terminator, text)}`,
        ].join('\n'),
      )
      .join('\n') + '\n'
  );
}

function instrText(instr: Instr, text: string): string {
  const at = (span: { start: number; end: number }) =>
    text.slice(span.start, span.end).replace(/\s+/g, ' ');
  switch (instr.kind) {
    case 'expr':
      return at(instr.expr);
    case 'decl':
      return instr.decl.init ? `${instr.decl.name} = ${at(instr.decl.init)}` : `${instr.decl.name}`;
    case 'result':
      return instr.value ? `result ${at(instr.value)}` : 'result';
    case 'cleanup':
      return `cleanup ${instr.decl.name}`;
    case 'guard':
      return `${instr.isEntry ? 'enter' : 'leave'} ${instr.stmt.macro}(${instr.stmt.args.map(at).join(', ')})`;
    case 'cursor':
      return `cursor ${instr.args.map(at).join(', ')}`;
    case 'config':
      return `config ${instr.conditions.map((condition) => (condition.holds ? '' : '!') + condition.test).join(' ')}`;
    case 'goto':
      return `goto ${instr.stmt.label}`;
    case 'unknown':
      return `unknown ${at(instr.stmt)}`;
  }
}

function terminatorText(terminator: Terminator, text: string): string {
  const at = (span: { start: number; end: number }) =>
    text.slice(span.start, span.end).replace(/\s+/g, ' ');
  switch (terminator.kind) {
    case 'jump':
      return `-> b${terminator.to}`;
    case 'branch':
      return `if ${at(terminator.condition)} -> b${terminator.then} else b${terminator.otherwise}`;
    case 'switch':
      return `switch ${at(terminator.value)} ${terminator.cases.map((label) => `${at(label.from)}: b${label.block}`).join(' ')} default: b${terminator.otherwise}`;
    case 'choice':
      return `choice ${terminator.to.map((block) => `b${block}`).join(' ')}`;
    case 'return':
      return 'return';
  }
}
