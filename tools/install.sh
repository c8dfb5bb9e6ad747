#!/usr/bin/env bash
# Installs the programs that the client, bench and crash suites drive.
#
#   tools/install.sh core   Debian packages, the stand-ins for AWS, and the Go clients that build quickly
#   tools/install.sh all    core, and the clients that take minutes to compile
#   tools/install.sh NAME…  only these rows of the table below
#
# Running it again costs nothing: what is already there in the wanted version is left alone.
# A tool that cannot be had is listed in tools/unavailable.json (command, error, date) and is not in the table.
set -euo pipefail

# name        set   version   Go package                                        build tags
# The tag `test` builds the package's tests as a program.
GO_TOOLS='
crane         core  v0.22.1   github.com/google/go-containerregistry/cmd/crane  -
oras          core  v1.3.6    oras.land/oras/cmd/oras                           -
regctl        core  v0.11.7   github.com/regclient/regclient/cmd/regctl         -
versitygw     core  v1.8.0    github.com/versity/versitygw/cmd/versitygw         -
oci-conformance-main  core  v0.0.0-20260831232431-97274622c111  github.com/opencontainers/distribution-spec/conformance  -
oci-conformance-rc    core  v0.0.0-20231101194043-f2182352d4cc  github.com/opencontainers/distribution-spec/conformance  test
helm          all   v4.3.1    helm.sh/helm/v4/cmd/helm                          -
ctr2          all   v2.4.2    github.com/containerd/containerd/v2/cmd/ctr       no_btrfs,no_devmapper,no_zfs
containerd2   all   v2.4.2    github.com/containerd/containerd/v2/cmd/containerd  no_btrfs,no_devmapper,no_zfs,no_cri,no_aufs
cosign        all   v3.1.3    github.com/sigstore/cosign/v3/cmd/cosign          -
notation      all   v1.3.2    github.com/notaryproject/notation/cmd/notation    -
trivy         all   v0.72.0   github.com/aquasecurity/trivy/cmd/trivy           -
trivy-db      all   v0.0.0-20260629102122-a0049d7ad12f  github.com/aquasecurity/trivy-db/cmd/trivy-db  -
'

# A DynamoDB emulator that is tested against the real one, and AWS's other services.
DYNOXIDE=3.2.0
MINISTACK=1.5.33
CFN_LINT=1.58.0

# Calls every operation of docs/openapi.yaml with what its schemas allow, and with what they do not.
SCHEMATHESIS=4.32.5

# OpenTofu drives Harbor's Terraform provider.
TOFU=v1.12.6

# Debian 12 pins these by its release: a stable release changes them only for security fixes.
DEBIAN_PACKAGES='
skopeo buildah podman umoci docker.io containerd runc docker-registry strace wrk apache2-utils jq
crun netavark aardvark-dns
'

# Harbor's own scanner adapter keeps its queue there.
MORE_DEBIAN_PACKAGES='redis-server'

here=$(cd "$(dirname "$0")" && pwd)
bin=$here/bin
cache=$here/cache
mkdir -p "$bin" "$cache"

say() { printf '%s\n' "install: $*"; }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# Package scripts must not start dockerd, containerd or a registry: the suites start their own, on sockets
# and ports of their own. invoke-rc.d and deb-systemd-invoke both ask policy-rc.d; 101 means "do not".
without_services() {
  local policy=/usr/sbin/policy-rc.d kept='' status=0
  if [ -e "$policy" ]; then
    kept=$(mktemp)
    cp -p "$policy" "$kept"
  fi
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
  as_root chmod 755 "$policy"
  "$@" || status=$?
  if [ -n "$kept" ]; then
    as_root cp -p "$kept" "$policy"
    rm -f "$kept"
  else
    as_root rm -f "$policy"
  fi
  return "$status"
}

install_debian() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  if [ ${#missing[@]} -eq 0 ]; then
    say 'Debian packages: all here'
    return
  fi
  say "Debian packages: ${missing[*]}"
  as_root apt-get update -qq
  without_services as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$cache/apt.log" 2>&1 ||
    { tail -20 "$cache/apt.log" >&2; return 1; }
}

# `go install package@version` refuses a module whose go.mod has replace directives, so every tool is built
# from a module of our own that requires it; that also lets the binary have a name of our choosing.
install_go() {
  local name=$1 version=$2 package=$3 tags=$4
  local stamp=$bin/.$name-$version module=$cache/go/$name ldflags='-s -w'
  if [ -e "$stamp" ] && [ -x "$bin/$name" ]; then
    say "$name $version: here"
    return
  fi
  say "$name $version: building"
  rm -rf "$module" "$bin/.$name-"*
  mkdir -p "$module"
  (
    cd "$module"
    export GOFLAGS='-trimpath -buildvcs=false' CGO_ENABLED=0
    if [ "$name" = trivy ]; then
      # It imports encoding/json/v2; its version is set by the linker and stands in every report.
      export GOEXPERIMENT=jsonv2
      ldflags="$ldflags -X github.com/aquasecurity/trivy/pkg/version/app.ver=${version#v}"
    fi
    go mod init "tools/$name" 2>/dev/null
    go get -tool "$package@$version" 2>go.log || { tail -5 go.log >&2; exit 1; }
    if [ "$tags" = test ]; then
      go mod tidy 2>go.log || true
      go test -c -ldflags="$ldflags" -o "$bin/$name" "$package"
    else
      go build -tags "${tags/#-/}" -ldflags="$ldflags" -o "$bin/$name" "$package"
    fi
  )
  touch "$stamp"
}

install_dynoxide() {
  local stamp=$bin/.dynoxide-$DYNOXIDE
  if [ -e "$stamp" ] && [ -x "$bin/dynoxide" ]; then say "dynoxide $DYNOXIDE: here"; return; fi
  say "dynoxide $DYNOXIDE: building"
  rm -f "$bin/.dynoxide-"*
  cargo install dynoxide-rs --version "$DYNOXIDE" --locked --no-default-features \
    --features native-sqlite,http-server,cli --root "$cache/dynoxide" >"$cache/dynoxide.log" 2>&1 ||
    { tail -5 "$cache/dynoxide.log" >&2; return 1; }
  cp "$cache/dynoxide/bin/dynoxide" "$bin/dynoxide"
  touch "$stamp"
}

# Each in an environment of its own.
install_python() {
  local name=$1 version=$2 package=$3
  local stamp=$bin/.$name-$version
  if [ -e "$stamp" ] && [ -x "$bin/$name" ]; then say "$name $version: here"; return; fi
  say "$name $version: installing"
  rm -f "$bin/.$name-"* "$bin/$name"
  rm -rf "${cache:?}/$name"
  { python3 -m venv "$cache/$name" && "$cache/$name/bin/pip" install -q "$package==$version"; } \
    >"$cache/$name.log" 2>&1 || { tail -5 "$cache/$name.log" >&2; return 1; }
  ln -s "$cache/$name/bin/$name" "$bin/$name"
  touch "$stamp"
}
install_ministack() { install_python ministack "$MINISTACK" 'ministack[full]'; }
install_schemathesis() { install_python schemathesis "$SCHEMATHESIS" schemathesis; }
install_cfn-lint() { install_python cfn-lint "$CFN_LINT" cfn-lint; }

# Its go.mod has a replace directive, which only counts in the main module: it is built inside a copy of the module.
install_tofu() {
  local module=github.com/opentofu/opentofu stamp=$bin/.tofu-$TOFU source=$cache/go/tofu
  if [ -e "$stamp" ] && [ -x "$bin/tofu" ]; then say "tofu $TOFU: here"; return; fi
  say "tofu $TOFU: building"
  rm -f "$bin/.tofu-"*
  rm -rf "$source"
  (
    export GOFLAGS='-trimpath -buildvcs=false' CGO_ENABLED=0
    cd "$cache" && go mod download "$module@$TOFU" && mkdir -p "$cache/go" &&
      cp -r "$(go env GOMODCACHE)/$module@$TOFU" "$source" && chmod -R u+w "$source" &&
      cd "$source" && go build -ldflags='-s -w' -o "$bin/tofu" ./cmd/tofu
  ) >"$cache/tofu.log" 2>&1 || { tail -5 "$cache/tofu.log" >&2; return 1; }
  touch "$stamp"
}

wanted() {
  local name=$1 set=$2 choice
  shift 2
  for choice in "$@"; do
    if [ "$choice" = all ] || [ "$choice" = "$set" ] || [ "$choice" = "$name" ]; then return 0; fi
  done
  return 1
}

if [ $# -eq 0 ]; then
  sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
  exit 2
fi

# shellcheck disable=SC2086 # Lists of words.
if wanted debian core "$@"; then install_debian $DEBIAN_PACKAGES; fi
# shellcheck disable=SC2086
if wanted redis-server all "$@"; then install_debian $MORE_DEBIAN_PACKAGES; fi

failed=0
for name in dynoxide ministack cfn-lint schemathesis; do
  if wanted "$name" core "$@"; then
    "install_$name" || { say "$name: FAILED"; failed=1; }
  fi
done
if wanted tofu all "$@"; then
  install_tofu || { say "tofu: FAILED"; failed=1; }
fi
while read -r name set version package tags; do
  if [ -z "$name" ] || ! wanted "$name" "$set" "$@"; then continue; fi
  # The subshell keeps `set -e` inside install_go although its status is tested here.
  if ! ("$BASH" -c 'true' && install_go "$name" "$version" "$package" "$tags"); then
    say "$name $version: FAILED"
    failed=1
  fi
done <<<"$GO_TOOLS"
exit "$failed"
