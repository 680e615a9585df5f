/** What commands need of the process that they run in. */
import type { Engine } from '../engine/analyse.ts';
import type { Output } from './output.ts';
import type { PackageFacts } from './package-facts.ts';
import type { Style } from './style.ts';

/** What a command needs of the process. */
export interface Program {
  readonly output: Output;
  /** dist/cli.cjs: what worker threads run. */
  readonly self: string;
  /** How many threads may work at a time. */
  readonly threads: number;
  /** Another one for each version of the program, whatever it calls itself. */
  identity(): Promise<string>;
  readonly facts: PackageFacts;
  /** Of what goes to stdout. */
  readonly style: Style;
  /** The columns of the terminal that stderr goes to; undefined where there is none. */
  readonly stderrColumns: number | undefined;
  /** `--verbose` was given. */
  readonly isVerbose: boolean;
  /** The engine, loaded on first use: `rules` and `explain` need none. */
  engine(): Promise<Engine>;
}
