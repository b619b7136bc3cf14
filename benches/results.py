"""Runs the benchmarks and writes what they say to benches/RESULTS.md, and as a picture to docs/benchmark.svg.

scripts/benchmark calls it.
"""

import datetime
import html
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

# What is run, and what it is about.
BENCHMARKS = [
    ("poll", [], "A poll of a long log"),
    ("reader", [], "Reading a log, in instructions"),
    ("round", ["--state"], "A round of 10,000 webhooks, 1 % of them changed, with a state"),
    ("scrapes", ["--webhooks=46"], "A scrape, beside a bare hyper that sends the same bytes"),
]


def run(name: str, arguments: list[str]) -> str:
    """What a benchmark prints."""
    print(f"benchmark: {name}", file=sys.stderr)
    # Apart: a benchmark brings a program of another profile, which would take the place of the release binary.
    command = ["cargo", "bench", "--quiet", "--locked", "--target-dir", "target/benches", "--bench", name, "--", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def machine() -> str:
    """The processor, how many of them, and how busy they were."""
    processor = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} × {processor[1] if processor else os.uname().machine}, load {load:.1f} before the first one"


def picture(table: str) -> str:
    """The rows of a table of what, CPU seconds and ratio, as bars."""
    rows = [[cell.strip() for cell in line.strip("| ").split("|")] for line in table.splitlines()]
    title, rows = rows[0][0], [(what.replace("`", ""), float(seconds)) for what, seconds, _ in rows[2:]]
    longest = max(seconds for _, seconds in rows)
    bars = []
    for number, (what, seconds) in enumerate(rows):
        y = 56 + 28 * number
        width = max(1.0, 400 * seconds / longest)
        colour = "#e6522c" if "a poll" in what else "#8a8f98"
        bars.append(
            f'<text x="430" y="{y + 14}" text-anchor="end">{html.escape(what)}</text>'
            f'<rect x="440" y="{y}" width="{width:.1f}" height="18" rx="2" fill="{colour}"/>'
            f'<text x="{446 + width:.1f}" y="{y + 14}">{seconds:.3g} s</text>'
        )
    height = 66 + 28 * len(rows)
    label = f"CPU seconds for {title}; the exporter in orange"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 920 {height}" role="img" aria-label="{html.escape(label)}"'
        ' font-family="system-ui, sans-serif" font-size="13">\n'
        f'<rect width="920" height="{height}" fill="#fff"/><g fill="#222">\n'
        f'<text x="20" y="30" font-size="16">{html.escape(label)}</text>\n' + "\n".join(bars) + "\n</g></svg>\n"
    )


def main() -> None:
    commit = subprocess.run(["git", "rev-parse", "--short=10", "HEAD"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    head = f"{datetime.date.today()}, commit {commit.stdout.strip()}, {machine()}."
    parts = [
        "# Results of the benchmarks",
        "Written by `scripts/benchmark`. Compare the figures of one run with one another, not with those of another machine.",
        head,
    ]
    for name, arguments, title in BENCHMARKS:
        said = run(name, arguments)
        body = said if said.startswith("|") else f"```\n{said}\n```"
        call = " ".join(["cargo bench --bench", name, *(["--", *arguments] if arguments else [])])
        parts.append(f"## {title}\n\n`{call}`\n\n{body}")
        if name == "poll":
            (ROOT / "docs/benchmark.svg").write_text(picture(said))
    text = "\n\n".join(parts).replace(str(ROOT), ".") + "\n"
    (ROOT / "benches/RESULTS.md").write_text(text)


if __name__ == "__main__":
    main()
