#!/bin/sh
# Installs the packages that building and testing need and that are missing; does nothing when all are there.
# For Debian 12 and 13 and Ubuntu 24.04, as root or with sudo. Arguments name extra sets: tests, bench, fuzz, analyze, origins.
set -eu
cd "$(dirname "$0")/.."

packages="g++ cmake ninja-build make pkg-config ccache clang-format python3 git ca-certificates
  libyaml-cpp-dev libspdlog-dev libfmt-dev prometheus-cpp-dev libssl-dev libgtest-dev libgmock-dev libcli11-dev
  libre2-dev libnghttp2-dev libxxhash-dev libjemalloc-dev zlib1g-dev libbrotli-dev libzstd-dev
  libc-ares-dev"

id= version=
if [ -r /etc/os-release ]; then
  . /etc/os-release
  id=${ID:-} version=${VERSION_ID:-}
fi
if [ "$id" = debian ] && [ "$version" = 12 ]; then
  # The default Boost of Debian 12 is older than what is needed.
  packages="$packages libboost1.81-dev libboost-json1.81-dev"
else
  packages="$packages libboost-dev libboost-json-dev"
fi

origins=
for extra in "$@"; do
  case $extra in
    origins)
      # The servers of tests/origins. Node.js of another source than Debian's will do; npm of Debian is large.
      origins=yes
      packages="$packages nginx-light apache2 php-cli haproxy"
      # And the clients: curl, nghttp and h2load, openssl, a browser.
      packages="$packages curl nghttp2-client openssl chromium-headless-shell"
      # And what requests to AWS are signed with by others, for tests/aws.
      packages="$packages python3-botocore"
      # And the shells of tests/completion.
      packages="$packages bash bash-completion zsh fish"
      # And what schemas are checked with by others, for tests/schema and tests/openapi.
      packages="$packages python3-jsonschema python3-yaml"
      command -v node >/dev/null 2>&1 || packages="$packages nodejs"
      command -v npm >/dev/null 2>&1 || packages="$packages npm" ;;
    tests) packages="$packages libbenchmark-dev tmux" ;;
    bench) packages="$packages libbenchmark-dev nginx-light haproxy wrk" ;;
    analyze) packages="$packages clang clang-tidy" ;;
    fuzz)
      if [ "$id" = debian ] && [ "$version" = 12 ]; then
        packages="$packages clang libfuzzer-14-dev"
      else
        packages="$packages clang libclang-rt-dev"
      fi ;;
    *) echo "install-deps: unknown set \"$extra\"" >&2; exit 2 ;;
  esac
done

# Installs the Debian packages in $missing.
install_packages() {
  sudo=
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
      echo "install-deps: these packages are missing, and there is neither root nor sudo to install them:$missing" >&2
      exit 1
    fi
    sudo=sudo
  fi
  echo "installing:$missing" >&2
  # Debian asks policy-rc.d before it starts what was installed as a service of this machine: no.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e $policy ]; then
    trap '$sudo rm -f $policy' EXIT
    trap 'exit 130' INT TERM
    printf '#!/bin/sh\nexit 101\n' | $sudo tee $policy >/dev/null
    $sudo chmod 755 $policy
  fi
  $sudo apt-get update -q
  # shellcheck disable=SC2086
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
}

# Installs the packages of Node.js that the lock file names into build/origins.
install_node_packages() {
  from=tests/origins/express to=build/origins
  cmp -s $from/package-lock.json $to/installed && return
  mkdir -p $to
  rm -f $to/installed
  cp $from/package.json $from/package-lock.json $to
  (cd $to && npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --fetch-retries=1) || return
  cp $from/package-lock.json $to/installed
}

missing=
for package in $packages; do
  status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing="$missing $package"
done
[ -z "$missing" ] || install_packages
[ -z "$origins" ] || install_node_packages ||
  echo "install-deps: npm could not install the packages of tests/origins/express; its tests will fail" >&2
