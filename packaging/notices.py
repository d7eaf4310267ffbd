#!/usr/bin/env python3
"""Prints the licenses of all crates that the programs are made of, and of the packages in the web page, as most of these
licenses ask for.

    packaging/notices.py

Only what is compiled into the programs counts, on this machine's platform and with all features. Where a crate may be had
under several licenses, the texts of all are printed. A crate without a file for its license is named with the name of its
license alone. Needs cargo, and the sources of the crates: `cargo fetch` brings them.
"""

import json
import pathlib
import subprocess
import sys

PROGRAMS = ("shardcast", "shardcast-bench")
BEGINNINGS = ("license", "licence", "copying", "copyright", "notice", "unlicense")


def compiled(metadata):
    """Returns the packages that the programs are made of, without those that only build or test them."""
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    waiting = [package["id"] for package in packages.values() if package["name"] in PROGRAMS]
    found = set()
    while waiting:
        current = waiting.pop()
        if current not in found:
            found.add(current)
            dependencies = nodes[current]["deps"]
            waiting += [d["pkg"] for d in dependencies if any(kind["kind"] is None for kind in d["dep_kinds"])]
    foreign = [packages[one] for one in found if packages[one]["source"]]
    return sorted(foreign, key=lambda package: (package["name"], package["version"]))


def texts(package):
    """Returns the files of a package that hold its licenses."""
    folder = pathlib.Path(package["manifest_path"]).parent
    files = [path for path in folder.iterdir() if path.name.lower().startswith(BEGINNINGS) and path.is_file()]
    return [path.read_text(encoding="utf-8", errors="replace").strip() for path in sorted(files)]


def main():
    host = next(
        line.split()[1]
        for line in subprocess.run(["rustc", "-vV"], check=True, text=True, stdout=subprocess.PIPE).stdout.splitlines()
        if line.startswith("host:")
    )
    command = ["cargo", "metadata", "--format-version=1", "--all-features", "--locked", f"--filter-platform={host}"]
    root = pathlib.Path(__file__).resolve().parent.parent
    metadata = json.loads(subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE).stdout)
    users = {}
    print("The programs of Shardcast contain these crates:\n")
    for package in compiled(metadata):
        name = f"{package['name']} {package['version']}"
        print(f"  {name}: {package['license'] or 'see its text'}")
        for text in texts(package):
            users.setdefault(text, []).append(name)
    print("\nSQLite, which is in libsqlite3-sys, is in the public domain.")
    for text, names in sorted(users.items(), key=lambda pair: pair[1]):
        print(f"\n{'=' * 80}\n{', '.join(names)}:\n\n{text}")
    page = (root / "ui/dist/licenses.txt").read_text(encoding="utf-8").strip()
    print(f"\n{'=' * 80}\nThe web page contains these packages:\n\n{page}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
