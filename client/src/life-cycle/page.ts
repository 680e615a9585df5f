/** The page of the view: its frame, which is written once, and its content, for each analysis. */
import { attributes, escaped } from './html.ts';
import { layOut, lineOf } from './layout.ts';
import { PICTURE_STYLE, svgElement, type NumberPlace } from './svg.ts';
import type { DriverLife, LifeCycle, LifeEdge, LifeFinding, LifePlace, PathStep } from './types.ts';

const style = `
body { padding: 0 12px 12px; color: var(--vscode-editor-foreground); background: var(--vscode-editor-background); }
header { position: sticky; top: 0; z-index: 1; padding: 8px 0; background: var(--vscode-editor-background); }
h1 { font-size: 1.1em; margin: 0 0 6px; }
h2 { font-size: 1em; margin: 16px 0 6px; }
button, select {
  font: inherit; padding: 2px 8px; border: 1px solid var(--vscode-button-border, var(--vscode-contrastBorder, transparent));
  color: var(--vscode-button-secondaryForeground); background: var(--vscode-button-secondaryBackground); border-radius: 2px;
}
select { color: var(--vscode-dropdown-foreground); background: var(--vscode-dropdown-background); border-color: var(--vscode-dropdown-border); }
button:hover { background: var(--vscode-button-secondaryHoverBackground); }
button.text {
  padding: 0; border: 0; background: none; text-align: start; vertical-align: top; cursor: pointer;
  color: var(--vscode-textLink-foreground); text-decoration: underline;
}
button[disabled] { opacity: 0.5; }
:focus-visible { outline: 2px solid var(--vscode-focusBorder); outline-offset: 2px; }
.picture { overflow: auto; }
#said { position: sticky; bottom: 0; margin: 0 -12px -12px; background: var(--vscode-editor-background); }
#said:not(:empty) { padding: 6px 12px; border-top: 1px solid var(--vscode-panel-border, var(--vscode-contrastBorder, transparent)); }
[data-place], [data-finding] { cursor: pointer; }
li { margin: 3px 0; }
.current { font-weight: bold; }
.current::after { content: ' (here)'; font-weight: normal; }
`;

/** What the frame needs of the view. */
interface Frame {
  readonly nonce: string;
  /** The address of the script. */
  readonly script: string;
}

/** The frame, whose content comes as a message. Nothing is loaded but its script. */
export function frameOf({ nonce, script }: Frame): string {
  const policy = `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Life Cycle</title>
<style nonce="${nonce}">${style}${PICTURE_STYLE}</style>
</head>
<body>
<main id="content" aria-live="off"><h1>Life cycle</h1><p>Waiting for the analysis.</p></main>
<div id="said" role="status"></div>
<script nonce="${nonce}"${attributes({ src: script })}></script>
</body>
</html>
`;
}

/** What is shown where there is no life to show. */
export function emptyContent(why: string): string {
  return `<h1>Life cycle</h1><p>${escaped(why)}</p>`;
}

/** The life of one of the drivers: a bar, the picture, the findings, and all of it as a list. */
export function contentOf(life: LifeCycle, index: number, numberOf: NumberPlace): string {
  const driver = life.drivers[index] ?? life.drivers[0];
  if (driver === undefined) return emptyContent('There is no device of VFIO in this file.');
  const title = `Life cycle of ${driver.name}`;
  const picture = svgElement(layOut(driver), title, numberOf);
  return `<header><h1>${escaped(title)}</h1>${bar(life, driver)}</header>
<p>${escaped(modelOf(driver, life.kernel))}</p>
<div class="picture" tabindex="0" role="region" aria-label="Picture">${picture}</div>
${findingsOf(driver, numberOf)}
${listOf(driver, numberOf)}`;
}

function bar({ drivers }: LifeCycle, driver: DriverLife): string {
  const options = drivers.map(
    (one, i) =>
      `<option value="${i}"${one === driver ? ' selected' : ''}>${escaped(one.name)}</option>`,
  );
  const chooser =
    drivers.length > 1
      ? `<select id="driver" aria-label="Driver">${options.join('')}</select> `
      : '';
  const walk =
    driver.findings.length > 0
      ? '<button data-do="previous" disabled>Previous Step</button> <button data-do="next" disabled>Next Step</button> '
      : '';
  return `${chooser}${walk}<button data-do="smaller" aria-label="Smaller">−</button> <button data-do="larger" aria-label="Larger">+</button> <button data-do="svg">Save as SVG</button> <button data-do="mermaid">Copy as Mermaid</button>`;
}

const models: Readonly<Record<DriverLife['model'], string>> = {
  new: 'Allocated by vfio_alloc_device(), freed after the last put',
  old: 'The driver allocates and frees the device by itself (the model up to Linux 6.0)',
  embedded: 'The device is a part of an object that something else allocates',
  unknown: 'Where the device is allocated is not seen',
};

function modelOf({ model, container }: DriverLife, kernel: string): string {
  const where = container === null ? '' : `struct ${container}. `;
  return `${where}${models[model]}. Linux ${kernel}.`;
}

function findingsOf({ findings }: DriverLife, numberOf: NumberPlace): string {
  if (findings.length === 0) return '<h2>Findings</h2><p>Nothing was found.</p>';
  const items = findings.map(
    (finding) => `<li data-of="${escaped(finding.id)}">${findingItem(finding, numberOf)}</li>`,
  );
  return `<h2>Findings</h2><ul>${items.join('')}</ul>`;
}

function findingItem(
  { id, severity, rule, message, path }: LifeFinding,
  numberOf: NumberPlace,
): string {
  const steps = path.map(
    (step, i) => `<li data-step="${i}">${link(stepText(step, message), step.place, numberOf)}</li>`,
  );
  const walk = attributes({ 'data-finding': id, class: 'text' });
  return `<button${walk}>${escaped(`${severity}: ${message} [${rule}]`)}</button><ol>${steps.join('')}</ol>`;
}

/** The last step is the finding, whose message is above. */
function stepText({ place, message }: PathStep, finding: string): string {
  const line = `line ${lineOf(place)}`;
  return message === finding ? `${line}: the finding` : `${line}: ${message}`;
}

/** The same as the picture in words, for who does not see it. */
function listOf({ steps, edges }: DriverLife, numberOf: NumberPlace): string {
  const items = steps.map((step) => {
    const ways = edges.filter(({ from, to }) => from === step.id && to === null);
    const where = step.function === null ? '' : ` in ${step.function}()`;
    const parts = [
      ...step.calls.map(({ call, undo, place }) =>
        link(undo === null ? call : `${call}, undone by ${undo}`, place, numberOf),
      ),
      ...ways.map((way) => wayOut(way, numberOf)),
    ];
    const title = `${step.title}${where}: ${step.does}`;
    const inner = parts.map((part) => `<li>${part}</li>`).join('');
    const given = attributes({ 'data-of-function': step.function ?? undefined });
    return `<li${given}>${link(title, step.place, numberOf)}${inner === '' ? '' : `<ul>${inner}</ul>`}</li>`;
  });
  return `<details><summary>The steps as a list</summary><ol>${items.join('')}</ol></details>`;
}

function wayOut({ label, place, undone, owed }: LifeEdge, numberOf: NumberPlace): string {
  const calls = undone.map(({ call }) => call).join(', ');
  const text = [
    label === '' ? 'On an error' : label,
    calls === '' ? 'nothing is undone' : `undoes ${calls}`,
    owed.length === 0 ? 'owes nothing' : `still owes ${owed.join(', ')}`,
  ].join(': ');
  return link(text, place, numberOf);
}

function link(text: string, place: LifePlace | null, numberOf: NumberPlace): string {
  if (place === null) return escaped(text);
  const given = attributes({ class: 'text', 'data-place': numberOf(place) });
  return `<button${given}>${escaped(text)}</button>`;
}
