# shellcheck shell=bash disable=SC2034
# What the scripts in tests/ and .ci/ share: checks, Debian packages, the native build and a registry. Sourced, not run.

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

case $(uname -m) in
    x86_64) rid=linux-x64 ;;
    aarch64) rid=linux-arm64 ;;
    *) rid=unsupported ;;
esac

oci=$repository/artifacts/publish/OciTool.Cli/release_$rid/oci

# What NativeAOT needs to link, and what the binary opens when it runs.
build_packages=(ca-certificates clang libseccomp2 openssl zlib1g-dev)

say() {
    printf '%s\n' "$*" >&2
}

fail() {
    say "Error: $*"
    exit 1
}

require_debian_root_and_sdk() {
    [ "$(id -u)" -eq 0 ] || fail "this needs root, to install Debian packages and to make namespaces: run it with sudo"
    [ "$rid" != unsupported ] || fail "oci runs on x86-64 and arm64, not on $(uname -m)"
    command -v apt-get >/dev/null || fail "this script installs Debian packages, and this machine has no apt-get"
    case $(dotnet --version 2>/dev/null) in
        10.*) ;;
        *) fail "the .NET SDK 10 is needed: https://learn.microsoft.com/dotnet/core/install/linux-debian" ;;
    esac
    export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
}

is_installed() {
    [ "$(dpkg-query --show --showformat '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Asks the network only when something is missing, starts no service, and removes no package of the machine.
install_packages() (
    missing=()
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || exit 0

    say "installing ${missing[*]}"
    log=$(mktemp)
    guard=/usr/sbin/policy-rc.d
    if [ -e "$guard" ]; then
        trap 'rm -f "$log"' EXIT
    else
        trap 'rm -f "$log" "$guard"' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$guard"
        chmod 755 "$guard"
    fi
    export DEBIAN_FRONTEND=noninteractive
    # one stale third-party source must not stop us: whether the packages are there is decided by the install
    apt-get update --quiet=2 >"$log" 2>&1 || true
    apt-get install --quiet=2 --yes --no-remove --no-install-recommends "${missing[@]}" </dev/null >>"$log" 2>&1 || {
        tail -n 20 "$log" >&2
        fail "apt-get could not install ${missing[*]}"
    }
)

# The peers that the system tests compare with or take images from, and what the scripts read results with.
install_test_packages() {
    local packages=("${build_packages[@]}" acl apache2-utils attr buildah catatonit crun dbus-daemon debootstrap docker-registry
        erofs-utils faketime file golang-github-containers-common golang-github-containers-image jq libcap2-bin netavark nginx-light podman procps
        python3-minimal qemu-user-static skopeo strace time uidmap umoci util-linux xz-utils zstd)
    is_installed busybox || packages+=(busybox-static)
    # where Docker's own packages are installed they have these, and Debian's would conflict with them
    command -v dockerd >/dev/null || packages+=(docker.io)
    command -v runc >/dev/null || packages+=(runc)
    install_packages "${packages[@]}"
    # newer Debian releases have docker's client in a package of its own
    command -v docker >/dev/null || install_packages docker-cli
}

# What tests/guest needs beyond that: an emulator, and programs for the guest.
install_guest_packages() {
    install_test_packages
    install_packages debian-archive-keyring e2fsprogs iproute2 kmod lz4 qemu-system-x86
}

# Prints the output of a command only when it fails.
quietly() {
    local log status=0
    log=$(mktemp)
    "$@" </dev/null >"$log" 2>&1 || status=$?
    [ "$status" -eq 0 ] || cat "$log" >&2
    rm -f "$log"
    return "$status"
}

build_all() {
    dotnet build "$repository/OciTool.sln" --configuration Release --nologo --verbosity quiet
}

publish_oci() {
    dotnet publish "$repository/src/OciTool.Cli" --configuration Release --runtime "$rid" --nologo --verbosity quiet
}

# A port of the loopback device on which nobody listens now.
free_port() {
    local port
    for _ in {1..100}; do
        port=$((20000 + RANDOM))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || {
            printf '%s\n' "$port"
            return
        }
    done
    fail "found no free port on 127.0.0.1"
}

# start_registry DIRECTORY: a docker-registry with its storage in DIRECTORY; sets registry (host:port) and registry_pid.
start_registry() {
    local port
    for _ in {1..5}; do
        port=$(free_port)
        cat >"$1/registry.yml" <<YAML
version: 0.1
log: { level: error, accesslog: { disabled: true } }
storage: { filesystem: { rootdirectory: $1/registry } }
http: { addr: "127.0.0.1:$port" }
YAML
        docker-registry serve "$1/registry.yml" >"$1/registry.log" 2>&1 &
        registry_pid=$!
        for _ in {1..100}; do
            if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && kill -0 "$registry_pid" 2>/dev/null; then
                registry=127.0.0.1:$port
                return
            fi
            kill -0 "$registry_pid" 2>/dev/null || break # somebody took the port in between: the next one
            sleep 0.1
        done
        stop "$registry_pid"
    done
    cat "$1/registry.log" >&2
    fail "docker-registry did not start"
}

# Ends a child of ours and waits until it is gone.
stop() {
    kill "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}
