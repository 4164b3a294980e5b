"""Prints the licence texts of all crates that a dsr for one platform is made of.

usage: third_party_licenses.py TARGET
"""

import json
import subprocess
import sys
from pathlib import Path

NAMES = ("licen", "copying", "copyright", "notice", "unlicense")


def metadata(target):
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", target]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def linked(found):
    """What dsr depends on to run, not to be built or tested."""
    nodes = {node["id"]: node for node in found["resolve"]["nodes"]}
    root = found["resolve"]["root"]
    open_ids, seen = [root], {root}
    while open_ids:
        for dependency in nodes[open_ids.pop()]["deps"]:
            normal = any(kind["kind"] is None for kind in dependency["dep_kinds"])
            if normal and dependency["pkg"] not in seen:
                seen.add(dependency["pkg"])
                open_ids.append(dependency["pkg"])
    seen.remove(root)
    packages = [package for package in found["packages"] if package["id"] in seen]
    return sorted(packages, key=lambda package: (package["name"], package["version"]))


def texts(package):
    """Its licence files, those of C sources that it brings along included."""
    folder = Path(package["manifest_path"]).parent
    files = (file for pattern in ("*", "*/*") for file in folder.glob(pattern) if file.is_file())
    named = (file for file in files if file.name.lower().startswith(NAMES) and file.suffix != ".rs")
    return [file.read_text(encoding="utf-8", errors="replace").strip() for file in sorted(named)]


def main(target):
    packages = linked(metadata(target))
    users, without = {}, []
    print("dsr is made of these crates, under the terms that each of them names. Where\n"
          "there is a choice, permissive terms are taken, such as MIT, Apache-2.0 or BSD, also where\n"
          "the text of another one comes with a crate:\n")
    for package in packages:
        name = f"{package['name']} {package['version']}"
        print(f"  {name}: {package['license']}, {package['repository'] or 'crates.io'}")
        found = texts(package)
        for text in found:
            users.setdefault(text, []).append(name)
        if not found:
            without.append(name)
    if len(packages) < 100 or len(users) < 20:
        sys.exit("the crates or their licences were not found")
    print("\nNo text of its own comes with: " + ", ".join(without) + ".")
    for text, names in users.items():
        print("\n" + "-" * 80 + "\n" + ", ".join(dict.fromkeys(names)) + "\n\n" + text)


main(sys.argv[1])
