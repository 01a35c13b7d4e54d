#!/usr/bin/env python3
"""Writes a program with 10,000 calls of a macro and prints how long `quartz check` and `quartz run --emit=expanded` take for it, as
whole processes with nothing kept: `expansions.py path/to/quartz`."""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CALLS, A_FUNCTION = 10_000, 50


def program() -> str:
    text = "macro bump(name, by)\n  quote do\n    before = $name\n    $name = before + $by\n  end\nend\n"
    for n in range(CALLS // A_FUNCTION):
        calls = "".join(f"  $bump(total, {k})\n" for k in range(A_FUNCTION))
        text += f"\ndef f{n}(start: Int): Int\n  var total = start\n{calls}  total\nend\n"
    calls = "".join(f"  sum += f{n}({n})\n" for n in range(CALLS // A_FUNCTION))
    return text + f"\ndef main\n  var sum = 0\n{calls}  puts(sum)\nend\n"


def main() -> None:
    quartz = str(Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "many.qz"
        path.write_text(program())
        for command in (["check", "--no-cache"], ["run", "--no-cache"]):
            times = []
            for _ in range(5):
                start = time.perf_counter()
                subprocess.run([quartz, *command, str(path)], check=True, stdout=subprocess.DEVNULL)
                times.append(time.perf_counter() - start)
            print(f"quartz {command[0]}, {CALLS} expansions: {statistics.median(times) * 1000:.0f} ms")


main()
