#!/usr/bin/env bash
# Runs the executors' suite on WebGPU without a GPU: on lavapipe, Mesa's Vulkan in software. Needs Debian or a
# derivative, and nothing is installed: the packages are downloaded through the machine's own mirrors, from backports
# where that is where Mesa 25 is, and unpacked under .cache/mesa.
#
#   scripts/webgpu-software.sh [COMMAND...]      the suite of executors unless another command is given
#
# With `--have` it only says whether the driver is there already, for use in `if`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD/.cache/mesa

fail() {
  printf 'webgpu-software: %s\n' "$1" >&2
  exit 1
}

driver() {
  find "$root/system/usr/share/vulkan/icd.d" -name 'lvp_icd*.json' 2>/dev/null | head -n 1
}

if [ "${1:-}" = --have ]; then
  [ -n "$(driver)" ]
  exit
fi

# Packages and what they need beyond what is installed, with apt's own files in a folder of ours.
download() {
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || fail 'there is no apt: this needs Debian'
  local codename mirror key
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  [ -n "$codename" ] || fail 'the distribution does not tell its code name'
  # The mirror and its key, as this machine is set up.
  mirror=$(apt-get indextargets --format '$(REPO_URI)' "Release: $codename" | awk 'NR == 1')
  [ -n "$mirror" ] || fail "apt has no source for $codename"
  key=$(find /usr/share/keyrings -name '*debian-archive-keyring.gpg' | head -n 1)
  rm -rf "$root"
  mkdir -p "$root"/{lists/partial,archives/partial,parts,system}
  local suite
  for suite in "$codename" "$codename-updates" "$codename-backports"; do
    printf 'deb [signed-by=%s] %s %s main\n' "$key" "$mirror" "$suite"
  done >"$root/sources.list"
  local options=(
    -o "Dir::Etc::sourcelist=$root/sources.list" -o "Dir::Etc::sourceparts=$root/parts"
    -o "Dir::State::lists=$root/lists" -o "Dir::Cache::archives=$root/archives"
    -o "Dir::Cache::pkgcache=" -o "Dir::Cache::srcpkgcache=" -o Debug::NoLocking=1 -o APT::Sandbox::User=
  )
  apt-get -qq "${options[@]}" update || fail 'the package lists could not be read'
  local from=() policy
  policy=$(apt-cache "${options[@]}" policy mesa-vulkan-drivers)
  ! grep -q "$codename-backports" <<<"$policy" || from=(-t "$codename-backports")
  apt-get -qq "${options[@]}" "${from[@]}" --yes --download-only --no-install-recommends \
    install mesa-vulkan-drivers libvulkan1 >/dev/null || fail 'the packages could not be downloaded'
  local package
  for package in "$root"/archives/*.deb; do dpkg-deb -x "$package" "$root/system"; done
  rm -rf "$root/archives" "$root/lists"
}

[ -n "$(driver)" ] || download
icd=$(driver)
[ -n "$icd" ] || fail 'Mesa came without its software driver'

# The file of the driver names its library, which lies elsewhere here.
libraries=$(find "$root/system/usr/lib" -name 'libvulkan_lvp.so' -printf '%h\n' | head -n 1)
sed "s#\"library_path\": *\"[^\"]*\"#\"library_path\": \"$libraries/libvulkan_lvp.so\"#" "$icd" >"$root/lavapipe.json"
export VK_ICD_FILENAMES=$root/lavapipe.json VK_DRIVER_FILES=$root/lavapipe.json
export LD_LIBRARY_PATH=$libraries:$(dirname "$libraries")${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
# Skipped tests say why; this run must not skip the executor that it is about.
export MMDC_REQUIRE_EXECUTOR=ort-webgpu

[ $# -gt 0 ] || set -- npx vitest run test/executors
exec "$@"
