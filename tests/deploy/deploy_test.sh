#!/bin/bash
# Checks docs/, docker/, deploy/ and config/ against the binary, and by whatever tools of the distribution are there:
# promtool (prometheus), systemd-analyze (systemd), kubectl (kubernetes-client), docker compose, nginx. What has no tool
# is skipped, and said.
#   deploy_test.sh PATH_OF_FOREBAY
set -uo pipefail
forebay=$(realpath "$1") || exit 2
cd "$(dirname "$0")/../.." || exit 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0

# check WHAT COMMAND...: one check; its output is shown when it fails.
check() {
  local what=$1
  shift
  if "$@" >"$work/output" 2>&1 </dev/null; then
    echo "ok    $what"
    passed=$((passed + 1))
  else
    echo "FAIL  $what"
    sed 's/^/      /' "$work/output"
    failed=$((failed + 1))
  fi
}

skip() {
  echo "skip  $1 ($2 is not installed)"
  skipped=$((skipped + 1))
}

has() { command -v "$1" >/dev/null 2>&1; }

# --- configurations ---

for file in config/*.yaml config/examples/*.yaml docker/forebay.yaml deploy/kubernetes/sidecar/forebay.yaml; do
  [ -e "$file" ] && check "forebay check -c $file" "$forebay" check -c "$file"
done

# --- docs, and metrics by their names ---

for what in blocks links names metrics; do
  check "docs_check.py $what" python3 tests/deploy/docs_check.py $what "$forebay" "$work/exposition"
done

# --- Prometheus ---

if has promtool; then
  check "promtool check metrics" bash -c "promtool check metrics <'$work/exposition'"
  check "promtool check config deploy/prometheus/scrape.yaml" promtool check config deploy/prometheus/scrape.yaml
  check "promtool check rules" promtool check rules deploy/prometheus/alerts.yaml
  check "promtool test rules" promtool test rules deploy/prometheus/alerts_test.yaml
  # As the compose file mounts them.
  mkdir "$work/prometheus"
  cp docker/prometheus.yml deploy/prometheus/alerts.yaml "$work/prometheus"
  check "promtool check config docker/prometheus.yml" promtool check config "$work/prometheus/prometheus.yml"
else
  skip "metrics, scrape configurations and rules" promtool
fi

# --- systemd ---

if has systemd-analyze; then
  sed "s|/usr/bin/forebay|$forebay|" deploy/systemd/forebay.service >"$work/forebay.service"
  check "systemd-analyze verify" systemd-analyze verify "$work/forebay.service"
  # The same file is the template of instances that replace one another.
  cp "$work/forebay.service" "$work/forebay@.service"
  check "systemd-analyze verify of an instance" systemd-analyze verify "$work/forebay@.service"
  # The socket unit belongs to the service of the same name.
  cp deploy/systemd/forebay.socket "$work/forebay.socket"
  check "systemd-analyze verify of the sockets" systemd-analyze verify "$work/forebay.socket"
  check "systemd-analyze security" \
    systemd-analyze security --offline=yes --threshold=20 deploy/systemd/forebay.service
else
  skip "the systemd unit" systemd-analyze
fi
check "the docs install the program where the unit looks for it" \
  grep -q '^install build/release/forebay /usr/bin/forebay$' docs/operations.md
check "the docs install it nowhere else" bash -c '! grep -rn /usr/local/bin README.md docs'
if has systemd-sysusers; then
  check "systemd-sysusers" systemd-sysusers --dry-run "$PWD/deploy/systemd/forebay.sysusers"
else
  skip "the user of the systemd unit" systemd-sysusers
fi

# --- Kubernetes ---

if has kubectl; then
  check "kubectl kustomize" kubectl kustomize deploy/kubernetes/sidecar
  cp "$work/output" "$work/rendered.yaml"
  check "the ConfigMap is mounted under its name with a hash" \
    bash -c "[ \"\$(grep -cE 'name: forebay-[a-z0-9]{10}\$' '$work/rendered.yaml')\" = 2 ]"
else
  skip "the Kubernetes manifests" kubectl
fi

# --- containers ---

if docker compose version >/dev/null 2>&1; then
  check "docker compose config" docker compose -f docker/compose.yaml config -q
elif has docker-compose; then
  check "docker-compose config" docker-compose -f docker/compose.yaml config -q
else
  skip "the compose file" "docker compose"
fi
if has nginx; then
  mkdir "$work/nginx"
  printf 'pid %s/pid;\nerror_log stderr;\nevents {}\nhttp { access_log off; include %s/docker/origin.conf; }\n' \
    "$work/nginx" "$PWD" >"$work/nginx/nginx.conf"
  check "nginx -t docker/origin.conf" nginx -t -e stderr -p "$work/nginx" -c "$work/nginx/nginx.conf"
else
  skip "the demo origin of the compose file" nginx
fi
check "the image has the libraries of the binary" python3 tests/deploy/image_check.py docker/Dockerfile "$forebay"

echo "deploy: $passed checks passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
