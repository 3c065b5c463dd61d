#!/usr/bin/env bash
# Builds the native addon of @tensorflow/tfjs-node-gpu against the TensorFlow library that a wheel from PyPI contains,
# and puts it where the package looks for it. Needs g++, Python with pip, and `npm ci` before it. What it downloads goes
# to .cache/tensorflow (1 GB; with --gpu 7 GB) and has to stay there.
#
#   scripts/tfjs-native.sh [--gpu] [--version X.Y.Z]
#
# --gpu takes the wheel that is built for CUDA, with the CUDA libraries, from PyPI as well; the NVIDIA driver is all
# that the machine itself must have. The version is the newest that there is for this Python unless given.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() {
  printf 'tfjs-native: %s\n' "$1" >&2
  exit 1
}

gpu=false
version=
while [ $# -gt 0 ]; do
  case $1 in
    --gpu) gpu=true ;;
    --version)
      shift
      version=${1:?--version needs one}
      ;;
    *) fail "unknown option $1" ;;
  esac
  shift
done

[ "$(uname -s)" = Linux ] || fail 'only Linux wheels hold the library in this form'
for tool in g++ node npm; do command -v "$tool" >/dev/null || fail "there is no $tool"; done
python=$(command -v python3 || command -v python || true)
[ -n "$python" ] && "$python" -m pip --version >/dev/null 2>&1 || fail 'there is no Python with pip'
addon=node_modules/@tensorflow/tfjs-node-gpu
[ -d "$addon/binding" ] || fail "there is no $addon: run \`npm ci\` (with optional packages) first"

kind=cpu
[ "$gpu" = false ] || kind=gpu
cache=$PWD/.cache/tensorflow/$kind${version:+-$version}
if [ ! -e "$cache/complete" ]; then
  rm -rf "$cache"
  mkdir -p "$cache"
  if [ "$gpu" = true ]; then
    # With its dependencies: the libraries of CUDA are packages too, found beside TensorFlow's own.
    set -- "tensorflow[and-cuda]${version:+==$version}"
  else
    set -- --no-deps "tensorflow-cpu${version:+==$version}"
  fi
  "$python" -m pip install --quiet --disable-pip-version-check --no-compile --only-binary=:all: --target "$cache" "$@"
  touch "$cache/complete"
fi
library=$cache/tensorflow
main=$(find "$library" -maxdepth 1 -name 'libtensorflow_cc.so*' -printf '%f\n' | head -n 1)
framework=$(find "$library" -maxdepth 1 -name 'libtensorflow_framework.so*' -printf '%f\n' | head -n 1)
[ -n "$main" ] && [ -n "$framework" ] || fail "there is no TensorFlow library in $library"

# Node's C interface is the same for every version; most installations bring its headers, a package has them too.
headers=$(dirname "$(dirname "$(node -p process.execPath)")")/include/node
if [ ! -e "$headers/node_api.h" ]; then
  npm install --silent --no-save --no-audit --no-fund --ignore-scripts --prefix .cache/node-api node-api-headers
  headers=$PWD/.cache/node-api/node_modules/node-api-headers/include
fi

mkdir -p "$addon/lib/napi-v8"
g++ -std=c++17 -O2 -fPIC -shared -DNAPI_VERSION=8 -I "$headers" -I "$library/include" "$addon"/binding/*.cc \
  -L "$library" "-l:$main" "-l:$framework" "-Wl,-rpath,$library" -o "$addon/lib/napi-v8/tfjs_binding.node"

TF_CPP_MIN_LOG_LEVEL=2 node --input-type=module -e "
  import { TfjsExecutor } from './dist/runtime/executors/tfjs/executor.js';
  const { name, detail } = await TfjsExecutor.create('node-gpu');
  console.log(name + ': ' + detail);
" || fail 'the addon was built and does not load'
