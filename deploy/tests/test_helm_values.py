"""The values of the Helm chart: what is refused, and what is said of them."""

import json
import re
import sys
import tomllib

import pytest
import yaml

from chart import CHART, NEWEST, ROOT, TOKEN, VARIANTS, at, exporter, merged, refusal, rendered, set_at, without, workloads
from kubernetes_tools import KUBERNETES_VERSIONS, run
from manifests import assert_valid, load

sys.path.insert(0, str(CHART.parent))
import values_table  # noqa: E402

# Mistakes


@pytest.mark.parametrize(("values", "line"), [
    ({}, "no credentials: set cotalker.existingSecret to"),
    ({"cotalker": {"email": "a@b"}}, "cotalker.email needs cotalker.existingSecret"),
    ({"cotalker": {"existingSecret": "a", "token": "s3cret"}}, "cotalker.token and cotalker.existingSecret are mutually exclusive"),
    ({"cotalker": {"email": "a@b", "token": "s3cret"}}, "cotalker.token and cotalker.email are mutually exclusive"),
    (merged(TOKEN, {"cotalker": {"baseUrl": "https://me:s3cret@x"}}), "cotalker.baseUrl must hold no user and no password"),
    (merged(TOKEN, {"cotalker": {"ca": {"configMap": "a", "secret": "b"}}}), "cotalker.ca.configMap and cotalker.ca.secret are mutually"),
    (merged(TOKEN, {"persistence": {"existingClaim": "a"}}), "persistence.existingClaim needs persistence.enabled=true"),
    (merged(TOKEN, {"replica": {"count": 2}, "persistence": {"enabled": True}}), "replica.count above 1 and persistence.enabled need shards"),
    (merged(TOKEN, {"shards": [{"name": "a", "include": "a"}], "persistence": {"enabled": True, "existingClaim": "a"}}),
     "persistence.existingClaim and shards are mutually exclusive"),
    (merged(TOKEN, {"shards": [{"name": "a", "include": "a"}], "webhooks": {"exclude": "b"}}), "webhooks.exclude and shards are mutually"),
    (merged(TOKEN, {"shards": [{"name": "a", "include": "a"}, {"name": "a", "include": "b"}]}), 'shards: the name "a" appears twice'),
    (merged(TOKEN, {"shards": [{"name": "a"}]}), 'shards: "a" would watch everything'),
    (merged(TOKEN, {"serviceMonitor": {"enabled": True}, "podMonitor": {"enabled": True}}), "would be scraped twice"),
    (merged(TOKEN, {"service": {"nodePort": 30942}}), "service.nodePort needs service.type NodePort or LoadBalancer"),
    (merged(TOKEN, {"service": {"clusterIP": "None", "type": "NodePort"}}), "service.clusterIP None needs service.type ClusterIP"),
    (merged(TOKEN, {"dnsPolicy": "None"}), "dnsPolicy None needs dnsConfig.nameservers"),
    (merged(TOKEN, {"podDisruptionBudget": {"minAvailable": 1, "maxUnavailable": 1}}), "podDisruptionBudget needs one of"),
    (merged(TOKEN, {"podDisruptionBudget": {"unhealthyPodEvictionPolicy": "AlwaysAllow"}}), "podDisruptionBudget needs one of"),
    (merged(TOKEN, {"extraEnv": [{"name": "EXPORTER_WEB_LISTEN_ADDRESS", "value": ":80"}]}), "extraEnv: EXPORTER_WEB_LISTEN_ADDRESS cannot"),
    (merged(TOKEN, {"extraEnv": [{"name": "EXPORTER_WEB_TELEMETRY_PATH", "value": "/m"}]}), "extraEnv: EXPORTER_WEB_TELEMETRY_PATH cannot"),
    (merged(TOKEN, {"extraArgs": ["--log.level=info", "--web.listen-address=:80"]}), "extraArgs: --web.listen-address cannot change here"),
    (merged(TOKEN, {"extraArgs": ["--web.telemetry-path", "--web.telemetry-path=/m"]}), "extraArgs: --web.telemetry-path cannot change"),
    (merged(TOKEN, {"prometheusRule": {"enabled": True, "disabled": {"CotalkerLogGasp": True}}}),
     'prometheusRule.disabled: there is no alert "CotalkerLogGasp"; there are CotalkerEventLost, '),
])
@pytest.mark.parametrize("helm", KUBERNETES_VERSIONS)
def test_a_setting_that_cannot_work_is_refused_in_one_line_without_secrets(values, line, helm):
    found = [text for text in refusal(values, helm=helm).splitlines() if line in text]
    assert len(found) == 1
    assert "s3cret" not in found[0]


@pytest.mark.parametrize(("path", "value"), [
    ("poll.intervall", "60s"),
    ("cotalker.tokenFile", "x"),
    ("serviceMonitors", {}),
    ("image.registrie", "x"),
    ("service.nodeport", 30942),
    ("service.ipFamilies", ["ipv6"]),
    ("dnsConfig", {"servers": []}),
    ("podMonitor.targetLabels", ["x"]),
    ("extraEnvFrom", [{"secretref": {"name": "x"}}]),
    ("prometheusRule.runbookBaseUrl", "docs/#x"),
    ("persistence.existingclaim", "x"),
    ("networkPolicy.ingress.form", []),
    ("poll.interval", 60),
    ("poll.interval", "60"),
    ("poll.rate", "20"),
    ("poll.rate", -1),
    ("poll.history", "some"),
    ("log.format", "xml"),
    ("webhooks.ids", "62685990d918fb5557f9f992"),
    ("webhooks.limit", 0),
    ("cotalker.baseUrl", "ftp://x"),
    ("cotalker.admin", "yes"),
    ("cotalker.existingSecret", "Not_A_Name"),
    ("image.digest", "sha256:1"),
    ("service.port", 70000),
    ("extraArgs", ["-x"]),
    ("podLabels", {"a": 1}),
    ("persistence.accessModes", []),
    ("serviceMonitor.interval", "1 minute"),
])
@pytest.mark.parametrize("helm", KUBERNETES_VERSIONS)
def test_a_typo_or_a_wrong_type_is_refused_by_the_name_of_its_key(path, value, helm):
    key = path.split(".")[-1]
    assert re.search(rf"[./' ]{key}\b", refusal(merged(TOKEN, set_at(path, value)), helm=helm))


@pytest.mark.parametrize("shard", [
    {"name": "UPPER", "include": "x"}, {"name": "s" * 21, "include": "x"}, {"include": "x"},
    {"name": "a", "includes": "x"}, {"name": "a", "ids": ["1"]},
])
def test_a_shard_that_makes_no_sense_is_refused(shard):
    assert "shards" in refusal(merged(TOKEN, {"shards": [shard]}))


# Documentation


def test_the_variants_set_each_value():
    def keys(values, path=()):
        for key, value in values.items():
            yield (*path, key)
            if isinstance(value, dict):
                yield from keys(value, (*path, key))

    given = {path for name in VARIANTS for path in keys(yaml.safe_load((CHART / f"ci/{name}-values.yaml").read_text()))}
    documented = {path for path, _, _ in values_table.values()}
    same_in_both_monitors = {path for path in documented if path[0] == "podMonitor"}
    same_for_both_sources = {("cotalker", "ca", "configMap")}  # has a test of its own
    assert documented - given - same_in_both_monitors - same_for_both_sources == {("securityContext",)}


def outcome(values):
    """What is rendered, or that it is refused."""
    try:
        return rendered(values)
    except RuntimeError as refused:
        return str(refused).split("Error: ", 1)[1]


@pytest.mark.parametrize("path", [path for path, _, _ in values_table.values()], ids=".".join)
def test_every_value_has_an_effect(path):
    variants = [yaml.safe_load((CHART / f"ci/{name}-values.yaml").read_text()) for name in VARIANTS]
    (everything,) = (values for values in variants if "extraManifests" in values)
    others = [
        merged(TOKEN, {"podMonitor": without(everything["serviceMonitor"], ["targetLabels"]), "securityContext": {"runAsUser": 1000}}),
        merged(TOKEN, {"cotalker": {"ca": {"configMap": "ca-bundle"}}}),
        # By itself: another one covers it in the variant.
        *(merged(TOKEN, set_at(".".join(path), given)) for given in [at(everything, path)] if given is not None),
    ]
    default = at(yaml.safe_load((CHART / "values.yaml").read_text()), path)
    given = [values for values in [*variants, *others] if at(values, path) not in (None, default)]
    assert given, "no variant sets it"
    assert any(outcome(values) != outcome(without(values, path)) for values in given)


def test_every_value_is_documented_in_the_readme_and_in_the_schema():
    documented = {path for path, _, _ in values_table.values()}

    def undocumented(values, path=()):
        for key, value in values.items():
            here = (*path, key)
            if here in documented:
                continue
            if isinstance(value, dict) and value:
                yield from undocumented(value, here)
            else:
                yield ".".join(here)

    assert not list(undocumented(yaml.safe_load((CHART / "values.yaml").read_text())))
    assert (CHART / "README.md").read_text() == values_table.readme(), "run deploy/helm/values_table.py"
    assert (CHART / "values.schema.json").read_text() == values_table.schema(), "run deploy/helm/values_table.py"
    readme = (CHART / "README.md").read_text()
    assert all(f"| `{'.'.join(path)}` |" in readme for path in documented)


def test_the_schema_knows_each_value_and_no_more():
    def keys(values, schema, path):
        # What is global is for other charts, too.
        assert path == ["global"] or schema.get("additionalProperties") is False, path
        extra = set() if path else {"enabled"}
        assert set(schema["properties"]) - extra == set(values), path
        for key, value in values.items():
            if isinstance(value, dict) and "properties" in schema["properties"][key] and key not in ("podDisruptionBudget", "dnsConfig", "limits"):
                keys(value, schema["properties"][key], [*path, key])

    keys(yaml.safe_load((CHART / "values.yaml").read_text()), json.loads((CHART / "values.schema.json").read_text()), [])


def test_the_values_in_the_readme_work():
    (values,) = re.findall(r"```yaml\n(cotalker:.*?)```", (CHART / "README.md").read_text(), re.DOTALL)
    (shards,) = re.findall(r"```yaml\n(shards:.*?)```", (CHART / "README.md").read_text(), re.DOTALL)
    for text in (values, shards):
        for obj in rendered(merged(TOKEN, yaml.safe_load(text))):
            assert_valid(obj)


def test_the_readme_says_how_to_run_an_image_of_ones_own():
    readme = (CHART / "README.md").read_text()
    (repository,) = re.findall(r"`--set image\.repository=(\S+)`", readme)
    (deployment,) = workloads(rendered(merged(TOKEN, {"image": {"repository": repository}})))
    image = exporter(deployment)["image"]
    assert f"-t {image} . && docker push {image}`" in readme


def test_the_readme_says_how_to_change_the_volumes_of_shards():
    readme = (CHART / "README.md").read_text()
    (shards,) = re.findall(r"```yaml\n(shards:.*?)```", readme, re.DOTALL)
    given = ("--set-json", f"shards={json.dumps(yaml.safe_load(shards)['shards'])}", "--set", "persistence.enabled=true")
    objects = load(run(NEWEST, "helm", "template", "cotalker", CHART, "--set", "cotalker.existingSecret=cotalker", *given))
    name = workloads(objects)[-1]["metadata"]["name"]
    assert f"delete statefulset {name} --cascade=orphan" in readme
    assert f"`{workloads(objects)[-1]['spec']['volumeClaimTemplates'][0]['metadata']['name']}-{name}-0`" in readme


def test_the_notes_say_what_to_do_next_and_what_is_missing():
    def notes(name):
        # The oldest helm wants a cluster for this.
        text = run(NEWEST, "helm", "install", "demo", CHART, "--namespace", "prod", "--dry-run=client",
                   "--values", CHART / f"ci/{name}-values.yaml")
        return text.split("NOTES:\n")[1]

    assert "kubectl --namespace prod exec deploy/demo-cotalker-webhook-exporter -- /cotalker-webhook-exporter check" in notes("token")
    for missing in ("persistence.enabled=true", "serviceMonitor.enabled=true", "prometheusRule.enabled=true"):
        assert missing in notes("token") and missing not in notes("everything")
    assert "sts/demo-cotalker-webhook-exporter-rest" in notes("sharded")
    assert "cotalker.existingSecret" in notes("trial") and "s3cret" not in notes("trial")


def test_what_artifact_hub_shows_is_there():
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    owners = yaml.safe_load((CHART.parent / "artifacthub-repo.yml").read_text())["owners"]
    assert chart["maintainers"] == owners
    shown = {key.removeprefix("artifacthub.io/"): yaml.safe_load(text) for key, text in chart["annotations"].items()}
    (image,) = shown["images"]
    (deployment,) = workloads(rendered(TOKEN))
    assert image["image"] == exporter(deployment)["image"]
    for url in [chart["icon"], *(picture["url"] for picture in shown["screenshots"]), *(link["url"] for link in shown["links"])]:
        # Of files, the address ends in their path.
        path = re.fullmatch(r"https://(?:raw\.githubusercontent|github)\.com/[^/]+/[^/]+/(?:blob/)?(?:main/(.+)|issues)", url)[1]
        assert path is None or (ROOT / path).is_file()


def test_the_chart_is_of_this_version():
    package = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]
    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"] == package["version"]
