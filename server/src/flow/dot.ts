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
  for (const b of cfg.blocks) {
    const body = [
      ...b.instrs.map((i) => instrText(i, text)),
      terminatorText(b.terminator, text),
    ].filter(Boolean);
    lines.push(`  b${b.id} [label=${JSON.stringify([`b${b.id}`, ...body].join('\n'))}];`);
    for (const s of successors(b)) lines.push(`  b${b.id} -> b${s};`);
  }
  return lines.join('\n') + '\n}\n';
}

/** The graph as plain lines, one block each, for snapshots and `dump --stage cfg`. */
export function printCfg(cfg: Cfg, text: string): string {
  const reached = new Set([0]);
  for (const id of reached) for (const s of successors(cfg.blocks[id]!)) reached.add(s);
  return (
    cfg.blocks
      .filter((b) => reached.has(b.id))
      .map((b) =>
        [
          `b${b.id}:`,
          ...b.instrs.map((i) => '  ' + instrText(i, text)),
          `  ${terminatorText(b.terminator, text)}`,
        ].join('\n'),
      )
      .join('\n') + '\n'
  );
}

function instrText(i: Instr, text: string): string {
  const at = (s: { start: number; end: number }) => text.slice(s.start, s.end).replace(/\s+/g, ' ');
  switch (i.kind) {
    case 'expr':
      return at(i.expr);
    case 'decl':
      return i.decl.init ? `${i.decl.name} = ${at(i.decl.init)}` : `${i.decl.name}`;
    case 'result':
      return i.value ? `result ${at(i.value)}` : 'result';
    case 'cleanup':
      return `cleanup ${i.decl.name}`;
    case 'guard':
      return `${i.isEntry ? 'enter' : 'leave'} ${i.stmt.macro}(${i.stmt.args.map(at).join(', ')})`;
    case 'cursor':
      return `cursor ${i.args.map(at).join(', ')}`;
    case 'config':
      return `config ${i.conditions.map((c) => (c.holds ? '' : '!') + c.test).join(' ')}`;
    case 'goto':
      return `goto ${i.stmt.label}`;
    case 'unknown':
      return `unknown ${at(i.stmt)}`;
  }
}

function terminatorText(t: Terminator, text: string): string {
  const at = (s: { start: number; end: number }) => text.slice(s.start, s.end).replace(/\s+/g, ' ');
  switch (t.kind) {
    case 'jump':
      return `-> b${t.to}`;
    case 'branch':
      return `if ${at(t.condition)} -> b${t.then} else b${t.otherwise}`;
    case 'switch':
      return `switch ${at(t.value)} ${t.cases.map((c) => `${at(c.from)}: b${c.block}`).join(' ')} default: b${t.otherwise}`;
    case 'choice':
      return `choice ${t.to.map((b) => `b${b}`).join(' ')}`;
    case 'return':
      return 'return';
  }
}
