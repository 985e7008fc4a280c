# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Shared by the ./dev scripts: packages, presets, lists of files.

here_common=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=tools/dev/packages.sh
. "$here_common/packages.sh"
packages=("${build_packages[@]}" "${check_packages[@]}")

# Installs what is missing; needs root only then.
install_packages() {
  local missing=()
  local p
  for p in "${packages[@]}"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing+=("$p")
  done
  [ ${#missing[@]} -eq 0 ] && return
  echo "dev: installing ${missing[*]}" >&2
  local sudo=()
  [ "$(id -u)" -eq 0 ] || sudo=(sudo)
  "${sudo[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}

# The same object files serve every checkout: ccache must not hash the directory.
export CCACHE_NOHASHDIR=1 CCACHE_BASEDIR="$PWD" CCACHE_MAXSIZE="${CCACHE_MAXSIZE:-5G}"

build() {
  local preset=$1
  shift || true
  if [ ! -f "build/$preset/build.ninja" ]; then
    cmake --preset "$preset" >&2
  fi
  ninja -C "build/$preset" "$@" >&2
}

sources() {
  git ls-files -co --exclude-standard '*.h' '*.cc' ':!:tests/interop'
}
