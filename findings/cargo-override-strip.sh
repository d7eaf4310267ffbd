#!/usr/bin/env bash
# A profile of Cargo may set `strip = "symbols"`, and codegen units or an optimization level for one package by
# [profile.release.package.NAME]. All that an override leaves out is as in the profile, except `strip`: the package
# gets `strip=debuginfo` instead of `symbols`. So a program keeps its symbols, and lintian refuses a Debian package of it.
#
#   cargo 1.95.0: without the override `strip=symbols`, with it `strip=debuginfo`; an override of "*" changes nothing
#
# The server's profile therefore has its settings for the workspace itself, and those of dependencies in overrides.
#
# Needs cargo. Ends with 0 if Cargo still behaves so, and with 1 if it has changed.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

mkdir src
echo 'fn main() {}' >src/main.rs
cat >base.toml <<'TOML'
[package]
name = "small"
version = "0.0.0"
edition = "2021"

[workspace]

[profile.release]
strip = "symbols"
TOML

# Prints what Cargo tells rustc, with the lines of an override added to the profile.
strip_with() {
    {
        cat base.toml
        printf '%s\n' "$@"
    } >Cargo.toml
    cargo build --release --verbose --target-dir "target-$RANDOM" 2>&1 | grep -oE 'strip=[a-z]+'
}

{
    echo "no override: $(strip_with '')"
    echo "an override of all dependencies: $(strip_with '[profile.release.package."*"]' 'codegen-units = 4')"
    echo "an override of the program: $(strip_with '[profile.release.package.small]' 'codegen-units = 4')"
} >seen
cat seen
diff seen - <<'SEEN'
no override: strip=symbols
an override of all dependencies: strip=symbols
an override of the program: strip=debuginfo
SEEN
echo "as it was seen"
