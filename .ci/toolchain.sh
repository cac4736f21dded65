# To be sourced by sh, in the root of the checkout.
# use_rust puts a Rust that is new enough (`rust-version` in Cargo.toml) in front: the one that is installed, else
# the one that .ci/setup has installed through rustup. Nothing is installed here.

wanted_rust=$(sed -n 's/^rust-version *= *"\([0-9.]*\)".*/\1/p' Cargo.toml)

# Whether version $1 is $2 or later; major and minor count.
at_least() {
    printf '%s\n%s\n' "$1" "$2" | awk -F. '
        { major[NR] = $1 + 0; minor[NR] = $2 + 0 }
        END { exit !(major[1] > major[2] || (major[1] == major[2] && minor[1] >= minor[2])) }'
}

# The version of the Rust that would be used now, or nothing. rustup shall not install one because we ask.
rust_version() {
    RUSTUP_AUTO_INSTALL=0 cargo --version >/dev/null 2>&1 || return 0
    RUSTUP_AUTO_INSTALL=0 rustc --version 2>/dev/null | awk '{ print $2 }'
}

rust_is_ready() {
    at_least "$(rust_version)" "$wanted_rust"
}

use_rust() {
    rust_is_ready && return
    if [ -d "${CARGO_HOME:-$HOME/.cargo}/bin" ]; then
        PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
        export PATH
        rust_is_ready && return
    fi
    for toolchain in stable "$wanted_rust"; do
        RUSTUP_TOOLCHAIN=$toolchain
        export RUSTUP_TOOLCHAIN
        rust_is_ready && return
    done
    unset RUSTUP_TOOLCHAIN
    return 1
}
