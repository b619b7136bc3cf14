"""docs/scrapers.md: the objects in it are valid, and mean the exporter. tests/scrapers runs the scrapers themselves."""

import re

import pytest
import yaml

from chart import NEWEST, ROOT, TOKEN, exporter, merged, only, pod, rendered
from kubernetes_tools import run
from manifests import assert_valid, containers_of, load, pod_template_of

TEXT = (ROOT / "docs/scrapers.md").read_text()


def block(section):
    return yaml.safe_load(re.search(r"```yaml\n(.*?)```", TEXT.split(f"\n## {section}\n")[1], re.DOTALL)[1])


def kustomized(base):
    return load(run(NEWEST, "kubectl", "kustomize", ROOT / f"deploy/kustomize/{base}"))


def test_datadogs_annotation_names_the_container_of_the_chart():
    values = block("Datadog")
    deployment = only(rendered(merged(TOKEN, values)), "Deployment")
    (annotation,) = pod_template_of(deployment)["metadata"]["annotations"]
    assert annotation == f"ad.datadoghq.com/{exporter(deployment)['name']}.checks"
    assert values["podAnnotations"][annotation].count(f":{exporter(deployment)['ports'][0]['containerPort']}/metrics") == 1


@pytest.mark.parametrize("base", ["standalone", "sidecar-native"])
def test_the_other_name_that_datadog_needs_is_that_of_kustomize(base):
    name = re.search(r"`([a-z-]+)` with kustomize and as a sidecar", TEXT)[1]
    assert name in [container["name"] for container in containers_of(pod(only(kustomized(base), "Deployment")))]


def test_googles_object_is_valid_and_selects_the_exporter_of_kustomize():
    monitoring = block("Google Cloud")
    assert_valid(monitoring)
    template = pod_template_of(only(kustomized("standalone"), "Deployment"))
    assert monitoring["spec"]["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    (container,) = template["spec"]["containers"]
    assert monitoring["spec"]["endpoints"][0]["port"] == container["ports"][0]["containerPort"]
