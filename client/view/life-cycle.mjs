// The script of the view of a life cycle: it shows what the extension sends, and tells it what a
// person clicks on. Keys: arrows go from box to box, Enter goes to the code, n and p walk the path.
/* global acquireVsCodeApi, document, window */
const editor = acquireVsCodeApi();
const content = document.getElementById('content');
const said = document.getElementById('said');
let zoom = editor.getState()?.zoom ?? 0;
let mark = {};

window.addEventListener('message', ({ data }) => {
  if (data.type === 'content') {
    // What is shown again after the window was loaded anew.
    editor.setState({ zoom, uri: data.uri, driver: data.driver });
    show(data.html);
  }
  if (data.type === 'mark') mark = data;
  applyMarks();
});
document.addEventListener('click', ({ target }) => act(target));
document.addEventListener('change', ({ target }) => {
  if (target.id === 'driver') editor.postMessage({ type: 'driver', index: Number(target.value) });
});
document.addEventListener('keydown', (event) => {
  const { key, target } = event;
  if (event.ctrlKey || event.altKey || event.metaKey || target.tagName === 'SELECT') return;
  const box = target.closest?.('g[tabindex]');
  if (box && (key === 'Enter' || key === ' ')) act(box);
  else if (box && key.startsWith('Arrow')) moveFrom(box, key);
  else if (key === 'n') walk('next');
  else if (key === 'p') walk('previous');
  else if (key === '+') scale(1.25);
  else if (key === '-') scale(0.8);
  else return;
  event.preventDefault();
});
editor.postMessage({ type: 'ready' });

/** Puts new content in, with the focus and the scrolling where they were. */
function show(html) {
  const focused = document.activeElement?.getAttribute('data-id');
  const { scrollLeft = 0 } = content.querySelector('.picture') ?? {};
  const isOpen = content.querySelector('details')?.open ?? false;
  content.innerHTML = html;
  const details = content.querySelector('details');
  if (details) details.open = isOpen;
  applyZoom();
  const picture = content.querySelector('.picture');
  if (picture) picture.scrollLeft = scrollLeft;
  if (focused)
    [...content.querySelectorAll('[data-id]')]
      .find((one) => one.getAttribute('data-id') === focused)
      ?.focus();
}

function act(target) {
  const button = target.closest?.('[data-do], [data-finding], [data-place]');
  if (!button) return;
  const { do: what, finding, place } = button.dataset;
  if (what === 'larger') scale(1.25);
  else if (what === 'smaller') scale(0.8);
  else if (what === 'next' || what === 'previous') walk(what);
  else if (what) editor.postMessage({ type: 'export', what });
  else if (finding) editor.postMessage({ type: 'walk', finding });
  else editor.postMessage({ type: 'goTo', place: Number(place) });
}

function walk(where) {
  const button = content.querySelector(`[data-do="${where}"]`);
  if (button && !button.disabled) editor.postMessage({ type: 'step', where });
}

/** To the nearest box in the direction of an arrow. */
function moveFrom(box, key) {
  const from = middleOf(box);
  const isVertical = key === 'ArrowDown' || key === 'ArrowUp';
  const sign = key === 'ArrowDown' || key === 'ArrowRight' ? 1 : -1;
  const others = [...content.querySelectorAll('g[tabindex]')]
    .filter((one) => one !== box)
    .map((one) => {
      const at = middleOf(one);
      const [along, aside] = isVertical
        ? [at.y - from.y, at.x - from.x]
        : [at.x - from.x, at.y - from.y];
      return { one, along: along * sign, cost: Math.abs(along) + 2 * Math.abs(aside) };
    })
    .filter(({ along }) => along > 4)
    .sort((left, right) => left.cost - right.cost);
  others[0]?.one.focus();
}

function middleOf(box) {
  const { left, right, top, bottom } = box.getBoundingClientRect();
  return { x: (left + right) / 2, y: (top + bottom) / 2 };
}

function scale(by) {
  zoom = Math.min(4, Math.max(0.25, currentZoom() * by));
  editor.setState({ ...editor.getState(), zoom });
  applyZoom();
}

/** Until a person chooses, the picture is as wide as the view, and no larger than its text. */
function currentZoom() {
  const svg = content.querySelector('svg.life');
  if (zoom > 0 || !svg) return zoom || 1;
  const { width } = svg.viewBox.baseVal;
  return Math.min(1, Math.max(0.6, (document.body.clientWidth - 24) / width));
}

function applyZoom() {
  const svg = content.querySelector('svg.life');
  if (!svg) return;
  const { width, height } = svg.viewBox.baseVal;
  svg.setAttribute('width', String(width * currentZoom()));
  svg.setAttribute('height', String(height * currentZoom()));
}

/** Marks the function at the caret, and the finding and the step that are walked. */
function applyMarks() {
  const { functionName = null, finding = null, step = null, count = 0, text = '' } = mark;
  for (const box of content.querySelectorAll('g[data-id]')) {
    box.classList.toggle('here', functionName !== null && box.dataset.function === functionName);
    box.classList.toggle('walked', finding !== null && box.dataset.finding === finding);
  }
  for (const item of content.querySelectorAll('li[data-of-function]'))
    item.firstElementChild?.classList.toggle('current', item.dataset.ofFunction === functionName);
  for (const item of content.querySelectorAll('li[data-step]')) {
    const isIt =
      item.closest('[data-of]')?.dataset.of === finding && Number(item.dataset.step) === step;
    item.firstElementChild?.classList.toggle('current', isIt);
  }
  const next = content.querySelector('[data-do="next"]');
  const previous = content.querySelector('[data-do="previous"]');
  if (next) next.disabled = step === null || step >= count - 1;
  if (previous) previous.disabled = step === null || step <= 0;
  if (said.textContent !== text) said.textContent = text;
}
