#!/usr/bin/env bash
# Installs the committed state in every way that is promised to work, each in a folder of its own, and uses it there:
# npm of this machine, without the optional native engine, with npm 10, and as a package in somebody else's project.
#
#   scripts/install-matrix.sh [CASE...]     cases: current, wasm, npm10, package; all of them by default
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What an outer npm exported must not decide how the inner ones install.
unset npm_config_onnxruntime_node_install ONNXRUNTIME_NODE_INSTALL
export npm_config_audit=false npm_config_fund=false npm_config_prefer_offline=true npm_config_update_notifier=false

fail() {
  printf 'install-matrix: %s\n' "$1" >&2
  exit 1
}

# Packages in a folder above the clones would hide what is missing in them.
above=$work
while [ "$above" != / ]; do
  above=$(dirname "$above")
  [ ! -e "$above/node_modules" ] || fail "there are packages in $above/node_modules: choose another TMPDIR"
done

# A fresh clone of HEAD in $work/NAME.
clone() {
  git -c advice.detachedHead=false clone --quiet --no-hardlinks "$root" "$work/$1"
}

# expect WHAT PATTERN COMMAND...: the command succeeds and prints a line that matches.
expect() {
  local what=$1 pattern=$2 output
  shift 2
  output=$("$@" 2>&1) || fail "$what: \`$*\` failed:
$output"
  grep -Eq "$pattern" <<<"$output" || fail "$what: \`$*\` does not say /$pattern/:
$output"
}

# The smallest model, on embedded data.
cat >"$work/tiny.mmd" <<'MMD'
import { MLP } from "std/backbones"

model Tiny {
  modality emb: vector[16]
  modality label: category[6]
  space z: f32[16]
  encoder emb = emb
  encoder label = label |> linear(16)
  process { steps: 20, origin: emb }
  backbone h = concat(z, given) |> MLP(t, width: 16, depth: 1)
  decoder z = h |> linear(16)
  decoder label = h |> linear(6)
  task generate: emb, label { steps: 5 }
  train { batch: 8, steps: 3 }
  data { source: builtin("scenes") }
}
MMD

# use EXECUTOR COMMAND...: the command line checks, and it trains and samples on this executor (a pattern).
use() {
  local executor=$1
  shift
  expect "$executor" 'no problems' "$@" check examples/digits.mmd
  rm -rf run
  expect "$executor" "^$executor: onnxruntime" "$@" train "$work/tiny.mmd" --out run
  [ -s run/samples/generate/emb.npy ] || fail "$executor: there are no samples"
}

# Also with the newer Nodes that are in long-term support.
current() {
  clone current && cd "$work/current"
  npm ci
  use ort npx --no-install mmdc
  local version
  for version in 22 24; do
    expect "Node $version" "^v$version\\." npx --yes -p "node@$version" node --version
    use ort npx --yes -p "node@$version" node bin/mmdc.js
  done
  # Without each optional package in turn there is a reason in `mmdc info`, and something else is taken.
  local package
  for package in $(node -p "Object.keys(require('./package.json').optionalDependencies).join(' ')"); do
    [ -e "node_modules/$package" ] || continue
    mv "node_modules/$package" "$work/away"
    expect "without $package" 'reference: plain TypeScript' npx --no-install mmdc info
    case $package in
      onnxruntime-node) use ort-wasm npx --no-install mmdc ;;
      @tensorflow/tfjs-core) expect "without $package" 'tfjs-cpu: not available' npx --no-install mmdc info ;;
    esac
    mv "$work/away" "node_modules/$package"
  done
}

wasm() {
  clone wasm && cd "$work/wasm"
  npm ci --omit=optional
  [ ! -e node_modules/onnxruntime-node ] || fail 'wasm: --omit=optional installed onnxruntime-node'
  use ort-wasm npx --no-install mmdc
}

npm10() {
  clone npm10 && cd "$work/npm10"
  npx --yes npm@10 ci
  use ort npx --no-install mmdc
}

# Packs, installs the tarball in an empty project, type-checks and runs what imports it. In a project that says nothing
# about onnxruntime-node, that package's install script runs and downloads; here it cannot, whatever the network, and the
# engine without native code has to be left.
package() {
  clone package && cd "$work/package"
  # Packing builds.
  npm ci --ignore-scripts
  npm pack --pack-destination "$work"
  mkdir "$work/consumer" && cd "$work/consumer"
  echo '{ "name": "consumer", "version": "1.0.0", "private": true, "type": "module" }' >package.json
  GLOBAL_AGENT_HTTPS_PROXY=http://127.0.0.1:9 npm install "$work"/mmdc-*.tgz
  cp -r "$work/package/examples" .
  use 'ort(-wasm)?' npx --no-install mmdc
  expect package 'no problems' npx --no-install mmdiff check examples/digits.mmd
  cat >use.ts <<'TS'
import { analyze, pickModel, print, type Graph } from 'mmdc';
import { parse, type SourceFile } from 'mmdc/grammar';
import { choose, fileHost, type Executor } from 'mmdc/runtime';
import { readFileSync } from 'node:fs';

const text = readFileSync('examples/digits.mmd', 'utf8');
const tree: SourceFile = parse(text).tree;
const { host, name } = fileHost('examples/digits.mmd');
const model = pickModel(analyze(host, name, text), 'Digits');
if (typeof model === 'string') throw new Error(model);
const graph: Graph = model.samplingStep(1, false);
const executor: Executor = await choose('reference');
console.log(tree.kind, print(graph).length > 0, executor.name);
TS
  "$work/package/node_modules/.bin/tsc" --strict --module nodenext --target es2023 --skipLibCheck false \
    --types node --typeRoots "$work/package/node_modules/@types" use.ts
  expect package '^SourceFile true reference' node use.js
}

[ $# -gt 0 ] || set -- current wasm npm10 package
for name in "$@"; do
  case $name in current | wasm | npm10 | package) ;; *) fail "there is no case $name" ;; esac
  started=$SECONDS
  printf 'install: %s ' "$name"
  # In the background, so that the first command that fails ends the case: `set -e` is off left of `||`.
  "$name" >"$work/$name.log" 2>&1 &
  wait $! || {
    echo
    cat "$work/$name.log" >&2
    fail "$name failed"
  }
  printf 'ok (%s s)\n' "$((SECONDS - started))"
  rm -rf "${work:?}/$name"
done
