#!/usr/bin/env python3
"""Checks that what one cargo command has built, another one uses again.

    .ci/shared_builds.py

Cargo builds a crate once more where a command selects other features of it. It is asked, without building anything,
what the server's build, `cargo build --release`, consists of, and what that of the whole workspace does: all of the
former must be in the latter. And the example of the hub alone must need nothing of the server, its tests or benches.
"""

import hashlib
import json
import os
import subprocess
import sys

HUB_ALONE = ["--example", "hub_only", "--no-default-features"]
FOREIGN = {"axum", "hyper", "sqlx", "serde", "serde_json", "config", "clap", "criterion", "proptest", "reqwest", "tempfile"}


def units(*arguments):
    """Returns what `cargo build` would build: the name of each crate by a hash of all that its build depends on."""
    command = ["cargo", "build", *arguments, "--unit-graph", "-Z", "unstable-options"]
    # The unit graph is only written for those who ask for unstable output.
    output = subprocess.run(command, env={**os.environ, "RUSTC_BOOTSTRAP": "1"}, check=True, stdout=subprocess.PIPE).stdout
    graph = json.loads(output)["units"]
    hashes = {}

    def hash_of(index):
        if index not in hashes:
            unit = graph[index]
            parts = [unit[part] for part in ("pkg_id", "target", "profile", "platform", "mode", "features")]
            parts.append(sorted(hash_of(dependency["index"]) for dependency in unit["dependencies"]))
            hashes[index] = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
        return hashes[index]

    return {hash_of(index): name_of(unit) for index, unit in enumerate(graph)}


def name_of(unit):
    """Returns the name of a unit's crate."""
    return unit["target"]["name"].replace("-", "_")


def main():
    server, workspace = units("--release"), units("--release", "--workspace")
    again = sorted({name for key, name in server.items() if key not in workspace})
    hub = set(units(*HUB_ALONE).values())
    foreign = sorted(hub & FOREIGN)
    print(f"the server: {len(server)} steps; the whole workspace: {len(workspace)}; the hub's example: {len(hub)} crates")
    if again:
        print(f"`cargo build --release --workspace` builds once more what the server has: {', '.join(again)}")
    if foreign:
        print(f"`cargo run {' '.join(HUB_ALONE)}` builds {', '.join(foreign)}")
    return 1 if again or foreign else 0


if __name__ == "__main__":
    sys.exit(main())
