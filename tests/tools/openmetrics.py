"""Reads a page of metrics from standard input as strictly as prometheus_client does, and writes what it says as JSON.

The argument is the format: `openmetrics` or `text`. A page that is not as it must be ends in a ValueError.
"""

import json
import sys

from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics

page = sys.stdin.buffer.read().decode()
if sys.argv[1] == "openmetrics":
    families = openmetrics.text_string_to_metric_families(page)
else:
    families = parser.text_string_to_metric_families(page)
said = []
for family in families:
    samples = [
        {"name": sample.name, "labels": sample.labels, "value": repr(float(sample.value))}
        for sample in family.samples
    ]
    said.append({"name": family.name, "type": family.type, "unit": family.unit, "help": family.documentation, "samples": samples})
json.dump(said, sys.stdout)
