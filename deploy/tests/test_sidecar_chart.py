"""The library chart, as a receiver's chart that depends on it renders it."""

import json
import re
import shutil
import subprocess
import sys
import tomllib

import pytest
import yaml

from chart import (
    CHART, EXPORTER, NEWEST, OLDEST, ROOT, TOKEN, at, closed_port, environment, flags, merged, of_kind, only, pod, refusal, rendered, set_at,
    without,
)
from kubernetes_tools import KUBERNETES_VERSIONS, run
from manifests import assert_restricted, assert_valid, load, pod_template_of

sys.path.insert(0, str(CHART.parent))
import values_table  # noqa: E402

LIBRARY = CHART.with_name("cotalker-webhook-exporter-sidecar")
NAME = "cotalker-webhook-exporter"
# What the example sets.
PLAIN = {"webhooks": {"include": ""}, "replica": {"lease": ""}}
# Each key of values.yaml, with a value other than its default where the keys are not mutually exclusive.
EVERYTHING = {
    "cotalker": {
        "baseUrl": "https://proxy.example.com/cotalker", "existingSecret": "own", "existingSecretKey": "api-token", "company": "5f0e1d2c3b4a",
        "admin": True, "ca": {"secret": "ca-bundle", "key": "root.pem"},
    },
    "webhooks": {"ids": ["62685990d918fb5557f9f992"], "include": "orders-.*$|$(HOME)", "exclude": ".*_test$"},
    "poll": {"interval": "30s"},
    "replica": {"lease": "own", "standbyInterval": "5m"},
    "log": {"level": "debug", "format": "json"},
    "web": {"config": {"existingSecret": "web", "existingSecretKey": "web.yml"}},
    "image": {"registry": "quay.example.com", "repository": "example/exporter", "tag": "1", "pullPolicy": "Always"},
    "state": {"volume": {"emptyDir": {"medium": "Memory"}}},
    "securityContext": {"runAsUser": 1000},
    "resources": {"limits": {"memory": "256Mi"}},
    "extraEnv": [{"name": "HTTPS_PROXY", "value": "http://proxy.example.com:3128"}],
    "extraVolumeMounts": [{"name": "cotalker-state", "mountPath": "/extra"}],
    "podMonitor": {
        "enabled": True, "labels": {"release": "prometheus"}, "annotations": {"example.com/a": "b"}, "interval": "1m", "scrapeTimeout": "30s",
        "honorLabels": False, "scheme": "https", "tlsConfig": {"insecureSkipVerify": True},
        "basicAuth": {"username": {"name": "scrape", "key": "user"}, "password": {"name": "scrape", "key": "password"}},
        "relabelings": [{"targetLabel": "cluster", "replacement": "one"}],
        "metricRelabelings": [{"sourceLabels": ["__name__"], "regex": "process_.*", "action": "drop"}],
    },
}
# Not together with others of the above.
INSTEAD = [
    {"cotalker": {"email": "exporter@example.com", "existingSecretPasswordKey": "pass-word"}},
    {"cotalker": {"ca": {"configMap": "ca-bundle"}}},
    {"image": {"digest": "sha256:" + "0123456789abcdef" * 4}},
    {"state": {"create": False}},
]


def receiver(directory, helm, edit=lambda text: text):
    """The example with the library chart in it, as `helm dependency build` puts it there without a network."""
    for chart in ("examples/receiver", LIBRARY.name):
        shutil.copytree(CHART.parent / chart, directory / chart)
    chart = directory / "examples/receiver"
    template = chart / "templates/receiver.yaml"
    template.write_text(edit(template.read_text()))
    run(helm, "helm", "dependency", "build", chart)
    return chart


@pytest.fixture(scope="module")
def native(tmp_path_factory):
    return receiver(tmp_path_factory.mktemp("native"), OLDEST)


@pytest.fixture(scope="module")
def classic(tmp_path_factory):
    def move(text):
        native = re.search(r" *initContainers:\n.*nativeSidecar.*\n", text)[0]
        item = native.splitlines()[1].replace("nativeSidecar", "classicSidecar")
        return text.replace(native, "").replace("      volumes:\n", f"{item}\n      volumes:\n")

    return receiver(tmp_path_factory.mktemp("classic"), NEWEST, move)


def with_values(chart, *values, helm=NEWEST):
    return rendered({"exporter": merged(*values)}, chart=chart, helm=helm)


def sidecar(objects):
    spec = pod(only(objects, "Deployment"))
    (container,) = [c for key in ("initContainers", "containers") for c in spec.get(key, []) if c["name"] == NAME]
    return container


def kustomized(base):
    return load(run(NEWEST, "kubectl", "kustomize", ROOT / f"deploy/kustomize/sidecar-{base}"))


@pytest.mark.parametrize("helm", KUBERNETES_VERSIONS)
@pytest.mark.parametrize("values", [{}, PLAIN, EVERYTHING, *INSTEAD[:-1]], ids=["example", "plain", "everything", "login", "ca", "digest"])
def test_what_a_receivers_chart_renders_is_valid_and_restricted(native, values, helm):
    objects = with_values(native, values, helm=helm)
    for obj in objects:
        assert_valid(obj)
    assert_restricted(pod(only(objects, "Deployment")))


def test_old_and_new_helm_render_the_same(native):
    for values in ({}, EVERYTHING):
        assert with_values(native, values, helm=OLDEST) == with_values(native, values, helm=NEWEST)


@pytest.mark.parametrize("base", ["native", "classic"])
def test_container_and_volumes_are_those_of_kustomize(base, request):
    ours, theirs = with_values(request.getfixturevalue(base), PLAIN), kustomized(base)
    template = pod_template_of(only(theirs, "Deployment"))
    assert sidecar(ours) == sidecar(theirs)
    assert pod(only(ours, "Deployment"))["volumes"] == [v for v in template["spec"]["volumes"] if v["name"].startswith("cotalker-")]
    assert only(ours, "PodMonitor")["spec"]["podMetricsEndpoints"] == only(theirs, "PodMonitor")["spec"]["podMetricsEndpoints"]


def test_a_native_sidecar_comes_first_and_a_classic_one_last(native, classic):
    assert pod(only(with_values(native), "Deployment"))["initContainers"][0]["restartPolicy"] == "Always"
    spec = pod(only(with_values(classic), "Deployment"))
    assert [container["name"] for container in spec["containers"]] == ["receiver", NAME]
    assert "initContainers" not in spec


def test_kubernetes_that_knows_no_native_sidecars_gets_none(native, classic):
    for helm in KUBERNETES_VERSIONS:
        with pytest.raises(RuntimeError, match="Include classicSidecar"):
            run(helm, "helm", "template", native, "--kube-version", "v1.28.9")
        assert run(helm, "helm", "template", native, "--kube-version", "v1.29.1-gke.100")
        assert run(helm, "helm", "template", classic, "--kube-version", "v1.28.9")


def test_the_pod_monitor_finds_the_pods_of_its_release_and_of_no_other(native):
    objects, others = (load(run(NEWEST, "helm", "template", name, native)) for name in ("orders", "ledger"))
    wanted = only(objects, "PodMonitor")["spec"]["selector"]["matchLabels"]
    assert wanted.items() <= pod_template_of(only(objects, "Deployment"))["metadata"]["labels"].items()
    assert not wanted.items() <= pod_template_of(only(others, "Deployment"))["metadata"]["labels"].items()
    assert not wanted.items() <= pod_template_of(only(kustomized("native"), "Deployment"))["metadata"]["labels"].items()


def test_replicas_share_the_lease_and_only_the_exporter_gets_a_token(native):
    objects = with_values(native)
    deployment = only(objects, "Deployment")
    lease = environment(sidecar(objects))["EXPORTER_REPLICA_LEASE"]
    named, unnamed = only(objects, "Role")["rules"]
    assert (named["resourceNames"], named["verbs"], unnamed["verbs"]) == ([lease], ["get", "update"], ["create"])
    binding = only(objects, "RoleBinding")
    assert binding["roleRef"]["name"] == only(objects, "Role")["metadata"]["name"]
    account = {"kind": "ServiceAccount", "name": pod(deployment)["serviceAccountName"], "namespace": "prod"}
    assert binding["subjects"] == [account]
    assert pod(deployment)["automountServiceAccountToken"] is False
    mounting = [c["name"] for key in ("initContainers", "containers") for c in pod(deployment)[key]
                for mount in c.get("volumeMounts", []) if mount["mountPath"] == "/var/run/secrets/kubernetes.io/serviceaccount"]
    assert mounting == [NAME]


def test_without_a_lease_there_is_neither_token_nor_role(native):
    objects = with_values(native, PLAIN)
    assert not of_kind(objects, "Role", "RoleBinding")
    assert "kubernetes" not in json.dumps(pod(only(objects, "Deployment"))["volumes"])


def test_a_stateful_set_can_bring_the_volume_of_the_state(native):
    objects = with_values(native, {"state": {"create": False}})
    assert "cotalker-state" not in [volume["name"] for volume in pod(only(objects, "Deployment"))["volumes"]]
    assert "cotalker-state" in [mount["name"] for mount in sidecar(objects)["volumeMounts"]]
    assert "      name: cotalker-state\n" in (LIBRARY / "README.md").read_text()


def test_globals_of_the_release_reach_it(native):
    (objects,) = [rendered({"global": {"imageRegistry": "mirror.example.com"}}, chart=native)]
    assert sidecar(objects)["image"].startswith("mirror.example.com/cotalker-webhook-exporter/")


@pytest.mark.parametrize("values", [{}, EVERYTHING, *INSTEAD], ids=["example", "everything", "login", "ca", "digest", "state"])
def test_the_binary_knows_every_variable_and_takes_its_value(native, values):
    env = environment(sidecar(with_values(native, values)))
    assert {name for name in env if name.startswith(("COTALKER_", "EXPORTER_"))} <= {variable for variable, _ in flags().values()}
    done = subprocess.run([EXPORTER, "healthcheck", f"--web.listen-address=127.0.0.1:{closed_port()}"],
                          env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, "no healthy exporter" in done.stderr) == (1, True), done.stderr


@pytest.mark.parametrize(("path", "value", "line"), [
    ("webhooks.includes", "x", "includes"),
    ("poll.interval", "60", "interval"),
    ("cotalker.token", "x", "token"),
    ("cotalker.existingSecret", "", "existingSecret"),
    ("podMonitor.scheme", "ftp", "scheme"),
    ("cotalker.baseUrl", "https://me:x@y", "cotalker.baseUrl must hold no user"),
    ("cotalker.ca", {"configMap": "a", "secret": "b"}, "mutually exclusive"),
    ("extraEnv", [{"name": "EXPORTER_WEB_LISTEN_ADDRESS", "value": ":80"}], "EXPORTER_WEB_LISTEN_ADDRESS cannot change"),
])
@pytest.mark.parametrize("helm", KUBERNETES_VERSIONS)
def test_a_mistake_is_refused(native, path, value, line, helm):
    assert line in refusal({"exporter": set_at(path, value)}, chart=native, helm=helm)


def test_a_role_for_nobody_is_refused(tmp_path):
    chart = receiver(tmp_path, NEWEST, lambda text: text.replace(' "serviceAccountName" .Release.Name', ""))
    assert "rbac needs serviceAccountName" in refusal({}, chart=chart)


@pytest.mark.parametrize("path", [path for path, _, _ in values_table.values(LIBRARY)], ids=".".join)
def test_every_value_has_an_effect(native, path):
    (given,) = [values for values in (EVERYTHING, *INSTEAD) if at(values, path) is not None]
    default = at(yaml.safe_load((LIBRARY / "values.yaml").read_text()), path)
    assert at(given, path) != default
    # A map would be merged with the default.
    other = without(given, path) if isinstance(default, dict) else merged(given, set_at(".".join(path), default))
    assert with_values(native, given) != with_values(native, other)


def test_every_value_is_documented_and_in_the_schema_and_no_more():
    assert (LIBRARY / "README.md").read_text() == values_table.readme(LIBRARY), "run deploy/helm/values_table.py"
    assert (LIBRARY / "values.schema.json").read_text() == values_table.schema(LIBRARY), "run deploy/helm/values_table.py"
    documented = {path for path, _, _ in values_table.values(LIBRARY)}

    def keys(values, schema, path):
        assert path == ("global",) or schema.get("additionalProperties") is False, path
        assert set(schema["properties"]) - (set() if path else {"global", "enabled"}) == set(values), path
        for key, value in values.items():
            if (*path, key) not in documented:
                keys(value, schema["properties"][key], (*path, key))

    keys(yaml.safe_load((LIBRARY / "values.yaml").read_text()), json.loads((LIBRARY / "values.schema.json").read_text()), ())


def test_the_readme_shows_what_the_example_does():
    readme = (LIBRARY / "README.md").read_text()
    dependency, = yaml.safe_load(re.search(r"```yaml\n( +dependencies:.*?)```", readme, re.DOTALL)[1])["dependencies"]
    assert [dependency] == yaml.safe_load((CHART.parent / "examples/receiver/Chart.yaml").read_text())["dependencies"]
    template = (CHART.parent / "examples/receiver/templates/receiver.yaml").read_text()
    assert re.search(r"\{\{- \$exporter := .*\}\}", readme)[0] in template
    defined = set(re.findall(r'define "cotalker-webhook-exporter-sidecar\.(\w+)"', (LIBRARY / "templates/_sidecar.tpl").read_text()))
    defined |= {"leaseRules"}
    named = set(re.findall(r"^\| `(\w+)` \|", readme.split("<!-- values")[0], re.MULTILINE))
    assert named - defined == set() and defined - named <= {"container", "metadata"}


def test_both_charts_have_the_same_templates_for_what_they_share():
    own = (CHART / "templates/_exporter.tpl").read_text()
    theirs = (LIBRARY / "templates/_exporter.tpl").read_text()
    assert own.replace('"cotalker-webhook-exporter.', '"cotalker-webhook-exporter-sidecar.') == theirs, (
        "copy templates/_exporter.tpl, with the other prefix")


def test_both_charts_can_be_parts_of_one_release(tmp_path):
    chart = receiver(tmp_path, NEWEST)
    alone = rendered({}, chart=chart)
    shutil.copytree(CHART, chart / "charts" / CHART.name)
    # Of another version, which words an option differently.
    shared = chart / "charts" / CHART.name / "templates/_exporter.tpl"
    shared.write_text(shared.read_text().replace("EXPORTER_POLL_INTERVAL", "EXPORTER_POLL_EVERY"))
    together = rendered({CHART.name: TOKEN}, chart=chart)
    assert [obj for obj in together if obj in alone] == alone
    (other,) = [obj for obj in of_kind(together, "Deployment") if obj not in alone]
    assert "EXPORTER_POLL_EVERY" in environment(pod(other)["containers"][0])


@pytest.mark.parametrize("helm", KUBERNETES_VERSIONS)
def test_it_passes_a_strict_lint(helm):
    run(helm, "helm", "lint", "--strict", LIBRARY)


def test_it_is_of_this_version():
    version = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
    chart, example = (yaml.safe_load((CHART.parent / path / "Chart.yaml").read_text()) for path in (LIBRARY.name, "examples/receiver"))
    assert (chart["version"], chart["appVersion"], example["version"]) == (version, version, version)
    assert yaml.safe_load((LIBRARY / "values.yaml").read_text())["image"]["tag"] == version
    assert chart["maintainers"] == yaml.safe_load((CHART / "Chart.yaml").read_text())["maintainers"]
