"""The comments of values.yaml, as the chart's README and values.schema.json show them: one source for all three.

    python values_table.py          writes both anew
"""

import json
import re
from pathlib import Path

CHART = Path(__file__).parent / "cotalker-webhook-exporter"


def values() -> list[tuple[tuple[str, ...], str, str]]:
    """Each key of values.yaml that has a comment: its path, its default, and what it means."""
    found, above, meaning = [], [], []
    for line in (CHART / "values.yaml").read_text().splitlines():
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


def readme() -> str:
    """The README with the table of values."""
    rows = [f"| `{'.'.join(path)}` | {default if ' ' in default else f'`{default}`'} | {meaning} |"
            for path, default, meaning in values()]
    table = "\n".join(["| value | default | meaning |", "|---|---|---|", *rows])
    text = (CHART / "README.md").read_text()
    return re.sub(r"(<!-- values: .*\n\n)[\s\S]*(<!-- /values -->)", lambda marks: f"{marks[1]}{table}\n\n{marks[2]}", text)


def schema() -> str:
    """values.schema.json with the descriptions."""
    whole = json.loads((CHART / "values.schema.json").read_text())
    for path, _, meaning in values():
        part = whole
        for key in path:
            part = part["properties"][key]
        rest = {key: value for key, value in part.items() if key != "description"}
        part.clear()
        part.update(description=meaning, **rest)
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    (CHART / "README.md").write_text(readme())
    (CHART / "values.schema.json").write_text(schema())
