"""The Helm chart, rendered by the real helm, and the binary that it runs."""

import json
import os
import re
import socket
import subprocess
from functools import cache
from pathlib import Path

import pytest

from kubernetes_tools import KUBERNETES_VERSIONS, run
from manifests import containers_of, load, pod_template_of

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy/helm/cotalker-webhook-exporter"
EXPORTER = os.environ.get("EXPORTER_UNDER_TEST") or ROOT / "target/release/cotalker-webhook-exporter"
VARIANTS = sorted(path.name.removesuffix("-values.yaml") for path in (CHART / "ci").iterdir())
OLDEST, NEWEST = KUBERNETES_VERSIONS[0], KUBERNETES_VERSIONS[-1]
TOKEN = {"cotalker": {"existingSecret": "cotalker"}}


@cache
def template(*arguments, helm=NEWEST, chart=CHART):
    return run(helm, "helm", "template", "demo", chart, "--namespace", "prod", *arguments)


def variant(name, **options):
    return load(template("--values", CHART / f"ci/{name}-values.yaml", **options))


def rendered(values, **options):
    given = (("--set-json", f"{key}={json.dumps(value)}") for key, value in values.items())
    return load(template(*(argument for pair in given for argument in pair), **options))


def refusal(values, **options):
    with pytest.raises(RuntimeError) as raised:
        rendered(values, **options)
    return str(raised.value).split("Error: ", 1)[1]


def of_kind(objects, *kinds):
    return [obj for obj in objects if obj["kind"] in kinds]


def only(objects, *kinds):
    (obj,) = of_kind(objects, *kinds)
    return obj


def workloads(objects):
    return of_kind(objects, "Deployment", "StatefulSet")


def pod(workload):
    return pod_template_of(workload)["spec"]


def exporter(workload):
    (container,) = [container for container in containers_of(pod(workload)) if container["name"] == "exporter"]
    return container


def environment(container):
    """The variables as Kubernetes would set them: $$ is $, and nothing is left to expand."""
    found = {}
    for variable in container["env"]:
        assert variable["name"] not in found, f"{variable['name']} stands twice"
        if "value" in variable:
            assert not re.search(r"(?<!\$)(\$\$)*\$\(", variable["value"]), f"{variable} is a reference"
            found[variable["name"]] = variable["value"].replace("$$", "$")
    return found


@cache
def flags():
    """The flags of the binary: name → variable and default."""
    done = subprocess.run([EXPORTER, "--help"], capture_output=True, text=True, check=True)
    found = {}
    for block in re.split(r"^ {6}--(?=[a-z]+\.)", done.stdout, flags=re.MULTILINE)[1:]:
        text = " ".join(block.split())
        default = re.search(r"\[default: ([^]]+)\]", text)
        found[re.match(r"[\w.-]+", text)[0]] = re.search(r"\[env: (\w+)\]", text)[1], default[1] if default else ""
    return found


def set_at(path, value):
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


def at(values, path):
    for key in path:
        values = values.get(key) if isinstance(values, dict) else None
    return values


def without(values, path):
    key, *below = path
    if not below:
        return {name: value for name, value in values.items() if name != key}
    return {**values, key: without(values[key], below)}


def merged(*many):
    whole = {}
    for values in many:
        for key, value in values.items():
            both_are_maps = isinstance(value, dict) and isinstance(whole.get(key), dict)
            whole[key] = merged(whole[key], value) if both_are_maps else value
    return whole


def closed_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
