"""The comments of values.yaml, as the chart's README and values.schema.json show them: one source for all three.

    python values_table.py          writes both anew, for each chart
"""

import json
import re
from pathlib import Path

CHART = Path(__file__).parent / "cotalker-webhook-exporter"
LIBRARY = CHART.with_name("cotalker-webhook-exporter-sidecar")


def values(chart: Path = CHART) -> list[tuple[tuple[str, ...], str, str]]:
    """Each key of values.yaml that has a comment: its path, its default, and what it means."""
    found, above, meaning = [], [], []
    for line in (chart / "values.yaml").read_text().splitlines():
        if comment := re.fullmatch(r" *# (-- )?(.*)", line):
            if comment[1]:
                meaning = [comment[2]]
            elif meaning:
                meaning.append(comment[2])
        elif key := re.fullmatch(r"( *)(\w+):(?: (.*))?", line):
            above = [*above[: len(key[1]) // 2], key[2]]
            if meaning:
                found.append((tuple(above), key[3] or "see values.yaml", " ".join(meaning)))
            meaning = []
    return found


def readme(chart: Path = CHART) -> str:
    """The README with the table of values."""
    rows = [f"| `{'.'.join(path)}` | {default if ' ' in default else f'`{default}`'} | {meaning} |"
            for path, default, meaning in values(chart)]
    table = "\n".join(["| value | default | meaning |", "|---|---|---|", *rows])
    text = (chart / "README.md").read_text()
    return re.sub(r"(<!-- values: .*\n\n)[\s\S]*(<!-- /values -->)", lambda marks: f"{marks[1]}{table}\n\n{marks[2]}", text)


def schema(chart: Path = CHART) -> str:
    """values.schema.json with the descriptions."""
    whole = json.loads((chart / "values.schema.json").read_text())
    for path, _, meaning in values(chart):
        part = whole
        for key in path:
            part = part["properties"][key]
        rest = {key: value for key, value in part.items() if key != "description"}
        part.clear()
        part.update(description=meaning, **rest)
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for chart in (CHART, LIBRARY):
        (chart / "README.md").write_text(readme(chart))
        (chart / "values.schema.json").write_text(schema(chart))
