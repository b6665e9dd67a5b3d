#!/bin/sh
# Installs the packages that building and testing need and that are missing; does nothing when all are there.
# For Debian 12 and 13 and Ubuntu 24.04, as root or with sudo. Arguments name extra sets: bench, fuzz.
set -eu

packages="g++ cmake ninja-build make pkg-config ccache clang-format python3 git ca-certificates
  libyaml-cpp-dev libspdlog-dev libfmt-dev prometheus-cpp-dev libssl-dev libgtest-dev libgmock-dev libcli11-dev
  libre2-dev libxxhash-dev libjemalloc-dev zlib1g-dev libbrotli-dev libzstd-dev"

id= version=
if [ -r /etc/os-release ]; then
  . /etc/os-release
  id=${ID:-} version=${VERSION_ID:-}
fi
if [ "$id" = debian ] && [ "$version" = 12 ]; then
  # The default Boost of Debian 12 is older than what is needed.
  packages="$packages libboost1.81-dev libboost-url1.81-dev libboost-json1.81-dev"
else
  packages="$packages libboost-dev libboost-url-dev libboost-json-dev"
fi

for extra in "$@"; do
  case $extra in
    bench) packages="$packages libbenchmark-dev nginx-light haproxy wrk" ;;
    fuzz)
      if [ "$id" = debian ] && [ "$version" = 12 ]; then
        packages="$packages clang libfuzzer-14-dev"
      else
        packages="$packages clang libclang-rt-dev"
      fi ;;
    *) echo "install-deps: unknown set \"$extra\"" >&2; exit 2 ;;
  esac
done

missing=
for package in $packages; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

sudo=
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null 2>&1; then
    echo "install-deps: these packages are missing, and there is neither root nor sudo to install them:$missing" >&2
    exit 1
  fi
  sudo=sudo
fi
echo "installing:$missing" >&2
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -q
# shellcheck disable=SC2086
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
