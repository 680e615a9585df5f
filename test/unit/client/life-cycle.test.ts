import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { layOut, type Box } from '../../../client/src/life-cycle/layout.ts';
import { contentOf, frameOf } from '../../../client/src/life-cycle/page.ts';
import { svgFile } from '../../../client/src/life-cycle/svg.ts';
import type { DriverLife, LifeCycle, LifePlace } from '../../../client/src/life-cycle/types.ts';
import { lifeCycle } from '../../../server/src/engine/life-cycle/index.ts';
import { withPlaces } from '../../../server/src/engine/life-cycle/places.ts';
import { newDriver } from '../../../server/src/engine/new-driver/index.ts';
import { kernelStages } from '../../../server/src/engine/pipeline.ts';
import { lineIndex } from '../../../server/src/text/position.ts';
import { engineWith, kernel, single } from '../engine/support.ts';

const engine = await engineWith(kernelStages.rules);

/** The life of a driver as the server hands it over. */
function lifeOf(text: string, version: string): LifeCycle {
  const input = single(text);
  const target = kernel(version);
  const { findings } = engine.analyse(input, {}, target);
  const index = lineIndex(text);
  const life = lifeCycle(engine.facts(input, target)!, findings);
  const placed = withPlaces(life, ({ path, start, end }): LifePlace => ({
    uri: `file://${path}`,
    range: { start: index.position(start), end: index.position(end) },
  }));
  return { ...placed, mermaid: '' };
}

const mistakes = lifeOf(readFileSync('examples/driver/mistakes.c', 'utf8'), '6.1');
const old = lifeOf(readFileSync('examples/driver/old_model.c', 'utf8'), '6.0');
const made = newDriver('platform', 'foo', '6.12');
const complete = lifeOf('files' in made ? made.files[0]!.text : '', '6.12');
const lives = { mistakes, old, complete };

function driverOf({ drivers }: LifeCycle): DriverLife {
  expect(drivers).toHaveLength(1);
  return drivers[0]!;
}

function overlap(left: Box, right: Box): boolean {
  return (
    left.x < right.x + right.width &&
    right.x < left.x + left.width &&
    left.y < right.y + right.height &&
    right.y < left.y + left.height
  );
}

describe.each(Object.entries(lives))('the life of %s', (_name, life) => {
  const driver = driverOf(life);
  const picture = layOut(driver);

  test('has a box for each step and each way out, and none lies over another', () => {
    const out = driver.edges.filter(({ to }) => to === null);
    expect(driver.steps.length).toBeGreaterThan(5);
    expect(picture.boxes).toHaveLength(driver.steps.length + out.length);
    const pairs = picture.boxes.flatMap((box, i) =>
      picture.boxes.slice(i + 1).filter((other) => overlap(box, other)),
    );
    expect(pairs).toEqual([]);
    const inside = picture.boxes.filter(
      (box) =>
        box.x >= 0 &&
        box.y >= 0 &&
        box.x + box.width <= picture.width &&
        box.y + box.height <= picture.height,
    );
    expect(inside).toHaveLength(picture.boxes.length);
  });

  test('says what a step does to the end', () => {
    for (const { id, does } of driver.steps) {
      const { lines } = picture.boxes.find((box) => box.id === id)!;
      expect(lines.map(({ text }) => text).join(' ')).toContain(does);
    }
  });

  test('goes down from step to step', () => {
    const top = new Map(picture.boxes.map((box) => [box.id, box.y]));
    const up = driver.edges.filter(
      ({ kind, from, to }) => kind === 'next' && to !== null && top.get(to)! <= top.get(from)!,
    );
    expect(up).toEqual([]);
  });

  test('is said in words too, with a place for each step', () => {
    const places: LifePlace[] = [];
    const html = contentOf(life, 0, (place) => places.push(place) - 1);
    const list = html.slice(html.indexOf('<details>'));
    for (const step of driver.steps) expect(list).toContain(step.title);
    const numbers = [...html.matchAll(/data-place="(\d+)"/g)].map(([, number]) => Number(number));
    numbers.sort((left, right) => left - right);
    expect(numbers).toEqual(places.map((_, i) => i));
  });

  test('is a file of its own that asks for nothing', () => {
    const file = svgFile(picture, 'a < b');
    expect(file).toContain('<title>a &lt; b</title><style>');
    expect(file).not.toMatch(/href|url\((?!#)|tabindex|data-/);
    const opened = file.match(/<(?!\/)[a-z]+[^>]*[^/]>/g)!.length;
    expect(file.match(/<\/[a-z]+>/g)).toHaveLength(opened);
  });
});

test('a finding is on its way out, with its name', () => {
  const { lines } = layOut(driverOf(mistakes));
  const found = lines.filter(({ findings }) => findings.length > 0);
  expect(found.map(({ kind, rules }) => [kind, rules])).toEqual([['fails', 'missing-put']]);
  const html = contentOf(mistakes, 0, () => 0);
  expect(html).toMatch(
    /<g class="way fails found" role="button" tabindex="0"[^]*?>missing-put<\/text><\/g>/,
  );
});

test('what a driver calls itself is text', () => {
  const [driver] = mistakes.drivers;
  const named = { ...mistakes, drivers: [{ ...driver!, name: '<script>"x"</script>' }] };
  const html = contentOf(named, 0, () => 0);
  expect(html).not.toContain('<script');
  expect(html).toContain('&lt;script&gt;&quot;x&quot;');
});

test('the frame lets nothing run or load but its script', () => {
  const html = frameOf({ nonce: 'abc', script: 'https://view/life-cycle-view.js' });
  expect(html).toContain(
    `content="default-src 'none'; style-src 'nonce-abc'; script-src 'nonce-abc'"`,
  );
  expect(html.match(/<script/g)).toHaveLength(1);
  expect(html).not.toMatch(/ on[a-z]+=| style=/);
});

test('without a driver there is a sentence', () => {
  expect(contentOf({ kernel: '6.1', drivers: [], mermaid: '' }, 0, () => 0)).toContain(
    'There is no device of VFIO in this file.',
  );
});
