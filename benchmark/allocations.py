"""Says what a stream's allocations are: the difference of two DHAT profiles, by the place that allocates.

allocations.py FEW FEW.json MANY MANY.json
"""

import collections
import json
import re
import sys

# Places where memory is taken for somebody else: their caller is the one to name.
PASSED_ON = re.compile(
    r"(^|<|::)(alloc|core|std|hashbrown|malloc|calloc|realloc|memalign|posix_memalign|__rust|__rdl|rust_begin|valgrind"
    r"|triomphe|clone3|start_thread|\(anonymous|_start)\b"
)


def by_place(path):
    """Returns {place: (bytes, blocks)} at the moment when the most was in use."""
    with open(path, encoding="utf-8") as file:
        profile = json.load(file)
    frames = profile["ftbl"]
    places = collections.defaultdict(lambda: [0, 0])
    for point in profile["pps"]:
        stack = [frames[index] for index in point["fs"]]
        place = places[name(stack)]
        place[0] += point["gb"]
        place[1] += point["gbk"]
    return places


def name(stack):
    """Names a stack by the first function that is not a container's, without its address."""
    functions = [re.sub(r"^0x[0-9A-F]+: ", "", frame) for frame in stack]
    for function in functions:
        if not PASSED_ON.search(function.split(" (")[0]):
            return function
    return functions[0] if functions else "?"


def main():
    few, few_file, many, many_file = sys.argv[1:]
    streams = int(many) - int(few)
    before, after = by_place(few_file), by_place(many_file)
    rows = []
    for place in after:
        used, blocks = (now - then for now, then in zip(after[place], before[place]))
        rows.append((used / streams, blocks / streams, place))
    rows.sort(reverse=True)
    print("| allocated by | bytes a stream | blocks a stream |\n|---|--:|--:|")
    for used, blocks, place in rows:
        if used >= 4:
            print(f"| `{place}` | {used:.0f} | {blocks:.2f} |")
    rest = sum(used for used, _, _ in rows if used < 4)
    print(f"| all others, below 4 bytes each | {rest:.0f} | |")
    print(f"| **together** | **{sum(row[0] for row in rows):.0f}** | **{sum(row[1] for row in rows):.2f}** |")


main()
