// The links and pictures of a Markdown page, for the tests that follow them.

/** The targets of all links and pictures of a page, in its order. Code is no link. */
export function linksOf(markdown: string): string[] {
  const prose = markdown.replace(/^```.*?^```/gms, '').replace(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^()\s]+)\)/g)].map((match) => match[1] ?? '');
}

/** The anchors of a page's headings and of its `<a id>`, as GitHub makes them. */
export function anchorsOf(markdown: string): Set<string> {
  const headings = [...markdown.matchAll(/^#+ +(.*)$/gm)].map((match) => slugOf(match[1] ?? ''));
  const named = [...markdown.matchAll(/<a (?:id|name)="([^"]+)"/g)].map((match) => match[1] ?? '');
  return new Set([...headings, ...named]);
}

/** The anchor of a heading, as GitHub makes it. */
export function slugOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-');
}

/**
 * What is wrong with the relative links of a page: `page: link` for each that leads nowhere.
 * @param page the path of the page, with slashes.
 * @param read the text of a path, undefined where there is none.
 */
export function brokenLinks(page: string, read: (path: string) => string | undefined): string[] {
  const folder = page.split('/').slice(0, -1);
  return linksOf(read(page) ?? '')
    .filter((link) => {
      if (/^[a-z]+:/.test(link)) return false;
      const [target = '', anchor] = link.split('#');
      const path = target === '' ? page : join(folder, target);
      const text = read(path);
      return text === undefined || (anchor !== undefined && !anchorsOf(text).has(anchor));
    })
    .map((link) => `${page}: ${link}`);
}

function join(folder: readonly string[], relative: string): string {
  const parts = [...folder];
  for (const part of relative.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}
