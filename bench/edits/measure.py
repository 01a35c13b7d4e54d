"""Times commands after edits of a project of 100,000 lines: `measure.py QUARTZ [ROUNDS]`.

Prints medians of whole processes in milliseconds. Each edit changes one function's body, or adds a function, in another module
each time.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent


def timed(command: list[str], folder: Path, env: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, cwd=folder, env=env, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter() - start) * 1000


def edit(folder: Path, n: int) -> None:
    path = folder / f"part{7 + n % 50}.qz"
    text = path.read_text()
    path.write_text(text.replace("picked = match", f"edited{n} = {n}\n  puts(edited{n}) if edited{n} < 0\n  picked = match", 1))


def add(folder: Path, n: int) -> None:
    with (folder / f"part{7 + n % 50}.qz").open("a") as file:
        file.write(f"\ndef added{n}(n: Int): Int = n + {n}\n")


def main() -> None:
    quartz = str(Path(sys.argv[1]).resolve())
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 11
    folder = Path(tempfile.mkdtemp(prefix="quartz-edits-"))
    project, cache = folder / "project", folder / "cache"
    made = subprocess.run([sys.executable, HERE / "project.py", project], check=True, capture_output=True, text=True)
    size = sum(it.stat().st_size for it in project.iterdir())
    env = {**os.environ, "QUARTZ_CACHE_DIR": str(cache)}
    rows: list[tuple[str, float]] = []

    def measure(what: str, command: list[str], before=lambda n: None) -> None:
        times = []
        for n in range(rounds):
            before(n)
            times.append(timed([quartz, *command], project, env))
        rows.append((what, statistics.median(times)))

    measure("`check`, nothing known", ["check", "main.qz"], lambda n: shutil.rmtree(cache, ignore_errors=True))
    measure("`check`, nothing changed", ["check", "main.qz"])
    measure("`check`, one body changed", ["check", "main.qz"], lambda n: edit(project, n))
    checked = sum(it.stat().st_size for it in cache.rglob("*") if it.is_file())
    measure("`run`, nothing known", ["run", "main.qz"], lambda n: shutil.rmtree(cache, ignore_errors=True))
    measure("`run`, nothing changed", ["run", "main.qz"])
    measure("`run`, one body changed", ["run", "main.qz"], lambda n: edit(project, n + 100))
    measure("`run`, one function added", ["run", "main.qz"], lambda n: add(project, n))
    measure("`build`, one body changed", ["build", "main.qz"], lambda n: edit(project, n + 200))
    measure("`build`, nothing changed", ["build", "main.qz"])
    (project / "hello.qz").write_text('def main\n  puts("hello")\nend\n')
    measure("`run` of hello world, nothing changed", ["run", "hello.qz"])
    shutil.rmtree(folder)
    print(f"{made.stdout.strip()}; what `check` keeps takes {checked / size:.2f} times the text\n")
    print("| | ms |\n|---|---:|")
    for what, ms in rows:
        print(f"| {what} | {ms:.0f} |")


main()
