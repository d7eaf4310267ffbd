"""Says what a stream's allocations are: the difference of two DHAT profiles, by the place that allocates.

allocations.py FEW FEW.json MANY MANY.json
"""

import collections
import json
import re
import sys

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
    """Names a stack: what is allocated, where that can be told, and the first function outside Rust's own library."""
    functions = [re.sub(r"^0x[0-9A-F]+: ", "", frame) for frame in stack]
    own = [function for function in functions if "(library/" not in function and "vgpreload" not in function]
    place = short(own[0]) if own else functions[0]
    # The innermost generic function of the library is too near to `malloc`; the outermost says what was asked for.
    boxed = [match[1] for function in functions if (match := re.match(r"new<(.+)> \(library/", function))]
    return f"{short(boxed[-1])}, by {place}" if boxed else place


def short(text):
    """Leaves out paths of modules, and what types are made of beyond two levels."""
    text = re.sub(r"\b[a-z_0-9]+::(?=[A-Za-z_{<(])", "", text)
    return re.sub(r"<[^<>]*<.*>", "<…>", text)


def main():
    few, few_file, many, many_file = sys.argv[1:]
    streams = int(many) - int(few)
    before, after = by_place(few_file), by_place(many_file)
    rows = []
    for place in after:
        used, blocks = (now - then for now, then in zip(after[place], before[place]))
        rows.append((used / streams, blocks / streams, place))
    rows.sort(reverse=True)
    print("| allocated by | bytes per stream | blocks per stream |\n|---|--:|--:|")
    for used, blocks, place in rows:
        if used >= 4:
            print(f"| `{place}` | {used:.0f} | {blocks:.2f} |")
    rest = sum(used for used, _, _ in rows if used < 4)
    print(f"| all others, below 4 bytes each | {rest:.0f} | |")
    print(f"| **together** | **{sum(row[0] for row in rows):.0f}** | **{sum(row[1] for row in rows):.2f}** |")


if __name__ == "__main__":
    if {"-h", "--help"} & set(sys.argv[1:]):
        sys.exit(print(__doc__))
    if len(sys.argv) != 5:
        sys.exit("usage: allocations.py FEW FEW.json MANY MANY.json; `--help` says more")
    main()
