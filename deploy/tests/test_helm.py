"""What the Helm chart renders."""

import base64
import json
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import certifi
import pytest
import yaml

from chart import (
    CHART, EXPORTER, NEWEST, OLDEST, ROOT, TOKEN, VARIANTS, closed_port, environment, exporter, flags, merged, of_kind,
    only, pod, rendered, template, variant, workloads,
)
from kubernetes_tools import KUBERNETES_VERSIONS, run
from manifests import assert_restricted, assert_valid, load, pod_template_of

# Valid, safe, and whole


@pytest.mark.parametrize("helm", KUBERNETES_VERSIONS)
@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_is_valid_and_its_pods_are_restricted(name, helm):
    objects = variant(name, helm=helm)
    assert workloads(objects)
    for obj in objects:
        assert_valid(obj)
    for workload in workloads(objects):
        assert_restricted(pod(workload))
        assert exporter(workload)["securityContext"]["readOnlyRootFilesystem"] is True
        assert pod(workload)["automountServiceAccountToken"] is False
        assert pod(workload)["enableServiceLinks"] is False
        assert workload["spec"]["replicas"] == {"replicas": 3, "sharded-replicas": 2}.get(name, 1)


@pytest.mark.parametrize("name", VARIANTS)
def test_old_and_new_helm_render_the_same(name):
    assert variant(name, helm=OLDEST) == variant(name, helm=NEWEST)


@pytest.mark.parametrize("helm", KUBERNETES_VERSIONS)
@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_passes_a_strict_lint(name, helm):
    run(helm, "helm", "lint", "--strict", CHART, "--values", CHART / f"ci/{name}-values.yaml")


def test_no_two_objects_of_a_variant_have_one_name():
    for name in VARIANTS:
        names = [(obj["kind"], obj["metadata"]["name"]) for obj in variant(name)]
        assert len(set(names)) == len(names), names


def test_the_oldest_kubernetes_and_versions_of_clouds_are_taken_and_older_ones_refused():
    arguments = ("--values", CHART / "ci/token-values.yaml", "--kube-version")
    for version in (f"v{OLDEST}.0", f"v{OLDEST}.1-gke.100", f"v{NEWEST}.0"):
        assert template(*arguments, version)
    with pytest.raises(RuntimeError, match="requires kubeVersion"):
        template(*arguments, "v1.28.9")


def test_openshift_may_choose_the_user():
    unset = {"podSecurityContext": {"runAsUser": None, "runAsGroup": None, "fsGroup": None}}
    (deployment,) = workloads(rendered(merged(TOKEN, unset)))
    assert pod(deployment)["securityContext"] == {
        "runAsNonRoot": True, "fsGroupChangePolicy": "OnRootMismatch", "seccompProfile": {"type": "RuntimeDefault"}}


# Settings


@pytest.mark.parametrize("name", VARIANTS)
def test_the_binary_knows_every_variable_and_takes_its_value(name):
    for workload in workloads(variant(name)):
        container = exporter(workload)
        env = environment(container)
        own = {variable for variable in env if variable.startswith(("COTALKER_", "EXPORTER_"))}
        assert own <= {variable for variable, _ in flags().values()}
        # It parses everything, and then finds no daemon at a port where there is none.
        arguments = [*container.get("args", []), "healthcheck", f"--web.listen-address=127.0.0.1:{closed_port()}"]
        done = subprocess.run([EXPORTER, *arguments], env=env, capture_output=True, text=True, check=False)
        assert (done.returncode, "no healthy exporter" in done.stderr) == (1, True), done.stderr


@pytest.mark.parametrize("name", [*VARIANTS, "ca-in-a-config-map"])
def test_a_check_in_the_container_finds_its_files_and_gets_as_far_as_the_api(name, tmp_path):
    ca = {"cotalker": {"ca": {"configMap": "ca-bundle"}}}
    objects = rendered(merged(TOKEN, ca)) if name.startswith("ca") else variant(name)
    test = only(objects, "Pod")
    # That of each workload, and those of `helm test`.
    containers = [(workload, {**exporter(workload), "args": [*exporter(workload).get("args", []), "check"]})
                  for workload in workloads(objects)]
    containers += ((test, container) for container in test["spec"]["containers"][1:])
    assert len(containers) == 2 * len(workloads(objects))
    for number, (owner, container) in enumerate(containers):
        env = environment(container)
        root = tmp_path / str(number)
        volumes = {volume["name"]: volume for volume in pod(owner)["volumes"]}
        for mount in container["volumeMounts"]:
            assert "subPath" not in mount, "a rotated Secret would not be seen"
            directory = root / mount["mountPath"].lstrip("/")
            directory.mkdir(parents=True)
            volume = volumes.get(mount["name"], {})
            for item in (volume.get("secret") or volume.get("configMap") or {}).get("items", []):
                # As good as any CA, token and password.
                directory.joinpath(item["path"]).write_text(Path(certifi.where()).read_text() if mount["name"] == "ca" else "x")
        env |= {key: f"{root}{value}" for key, value in env.items() if key.endswith("_FILE")}
        env["COTALKER_BASE_URL"] = f"http://127.0.0.1:{closed_port()}"
        done = subprocess.run([EXPORTER, *container["args"]], env=env, capture_output=True, text=True, check=False)
        assert (done.returncode, "refused" in done.stderr) == (1, True), done.stderr


def test_the_defaults_are_those_of_the_binary():
    env = environment(exporter(only(variant("token"), "Deployment")))
    defaults = {variable: default for variable, default in flags().values() if default and variable in env}
    assert len(defaults) > 10
    assert {variable: env[variable] for variable in defaults} == defaults


@pytest.mark.parametrize(("values", "variable", "expected"), [
    ({"webhooks": {"include": "a$|b$(HOME)|c$$"}}, "EXPORTER_WEBHOOK_INCLUDE", "a$|b$(HOME)|c$$"),
    ({"webhooks": {"include": '"\\d+\'é{{x}}'}}, "EXPORTER_WEBHOOK_INCLUDE", '"\\d+\'é{{x}}'),
    ({"webhooks": {"limit": 1000000}}, "EXPORTER_WEBHOOK_LIMIT", "1000000"),
    ({"webhooks": {"ids": ["a" * 24, "1" * 24]}}, "EXPORTER_WEBHOOK_ID", f"{'a' * 24},{'1' * 24}"),
    ({"poll": {"rate": 0}}, "EXPORTER_POLL_RATE", "0"),
    ({"poll": {"rate": 0.25}}, "EXPORTER_POLL_RATE", "0.25"),
    ({"cotalker": {"timeout": None}}, "COTALKER_TIMEOUT", None),
    ({"extraEnv": [{"name": "EXPORTER_POLL_INTERVAL", "value": "5m"}]}, "EXPORTER_POLL_INTERVAL", "5m"),
])
def test_a_value_reaches_the_exporter_as_it_is(values, variable, expected):
    for helm in KUBERNETES_VERSIONS:
        (deployment,) = workloads(rendered(merged(TOKEN, values), helm=helm))
        assert environment(exporter(deployment)).get(variable) == expected


def test_probes_and_ports_are_numeric_and_end_at_the_port_that_the_exporter_listens_on():
    objects = variant("token")
    container = exporter(only(objects, "Deployment"))
    default = flags()["web.listen-address"][1]
    assert [f":{port['containerPort']}" for port in container["ports"]] == [default]
    assert [f":{port['targetPort']}" for port in only(objects, "Service")["spec"]["ports"]] == [default]
    for probe, path in (("livenessProbe", "/-/healthy"), ("readinessProbe", "/-/ready")):
        assert container[probe]["httpGet"] == {"path": path, "port": 10942}
    assert "startupProbe" not in container


@pytest.mark.parametrize(("service", "port"), [({}, 10942), ({"port": 80}, 80), ({"port": 80, "clusterIP": "None"}, 10942)])
def test_helm_test_asks_the_service_for_the_exporter_and_is_none_itself(service, port):
    objects = rendered(merged(TOKEN, {"service": service}))
    test = only(objects, "Pod")
    assert test["metadata"]["annotations"]["helm.sh/hook"] == "test"
    assert_restricted(pod(test))
    selector = only(objects, "Service")["spec"]["selector"]
    assert not selector.items() <= test["metadata"]["labels"].items()
    healthcheck = test["spec"]["containers"][0]
    command, address = healthcheck["args"]
    assert address == f"--web.listen-address=demo-cotalker-webhook-exporter:{port}"
    # A name, and nothing but this flag.
    done = subprocess.run([EXPORTER, command, f"--web.listen-address=localhost:{closed_port()}"],
                          env={}, capture_output=True, text=True, check=False)
    assert (done.returncode, "no healthy exporter at localhost" in done.stderr) == (1, True), done.stderr


def test_with_a_web_config_the_probes_ask_within_the_container():
    container = exporter(only(variant("web-config"), "Deployment"))
    for probe in ("livenessProbe", "readinessProbe"):
        assert container[probe]["exec"]["command"] == ["/cotalker-webhook-exporter", "healthcheck"]
    assert environment(container)["EXPORTER_WEB_CONFIG_FILE"] == "/etc/cotalker-webhook-exporter/web/web.yml"


@pytest.mark.parametrize("name", ["token", "web-config", "sharded"])
def test_liveness_is_as_patient_as_with_kustomize(name):
    (deployment,) = of_kind(load(run(NEWEST, "kubectl", "kustomize", ROOT / "deploy/kustomize/standalone")), "Deployment")
    patience = ("periodSeconds", "timeoutSeconds", "failureThreshold")
    (kustomized,) = pod(deployment)["containers"]
    expected = [kustomized["livenessProbe"][key] for key in patience]
    for workload in workloads(variant(name)):
        assert [exporter(workload)["livenessProbe"][key] for key in patience] == expected


def test_a_probe_is_replaced_whole():
    container = exporter(only(variant("everything"), "Deployment"))
    assert set(container["livenessProbe"]) == {"exec", "periodSeconds", "timeoutSeconds"}
    assert container["readinessProbe"] == {"httpGet": {"path": "/-/healthy", "port": 10942}}
    assert container["startupProbe"]["failureThreshold"] == 30


# Secrets


def test_a_token_from_the_values_is_in_a_secret_only_and_nothing_restarts_for_it():
    objects = variant("trial")
    secret = only(objects, "Secret")
    token = yaml.safe_load((CHART / "ci/trial-values.yaml").read_text())["cotalker"]["token"]
    assert base64.b64decode(secret["data"]["token"]).decode() == token
    others = yaml.dump([obj for obj in objects if obj["kind"] != "Secret"])
    assert token not in others and secret["data"]["token"] not in others
    (volume,) = (volume for volume in pod(only(objects, "Deployment"))["volumes"] if volume["name"] == "cotalker-token")
    assert volume["secret"]["secretName"] == secret["metadata"]["name"]

    def workload(value):
        return only(rendered({"cotalker": {"token": value}}), "Deployment")

    assert workload("one") == workload("two")


@pytest.mark.parametrize("name", [name for name in VARIANTS if name != "trial"])
def test_there_is_no_secret_unless_a_token_is_given(name):
    assert not of_kind(variant(name), "Secret")


@pytest.mark.parametrize(("name", "key", "variable"), [
    ("token", "token", "COTALKER_TOKEN_FILE"),
    ("login", "pass-word", "COTALKER_PASSWORD_FILE"),
])
def test_only_the_key_that_is_needed_is_mounted(name, key, variable):
    deployment = only(variant(name), "Deployment")
    (volume,) = (volume for volume in pod(deployment)["volumes"] if volume["name"] == "cotalker-token")
    assert [item["key"] for item in volume["secret"]["items"]] == [key]
    found = [name for name in environment(exporter(deployment)) if name.endswith(("TOKEN_FILE", "PASSWORD_FILE"))]
    assert found == [variable]


# State, and many pods


def test_without_persistence_the_state_outlives_the_container_only():
    objects = variant("token")
    assert not of_kind(objects, "PersistentVolumeClaim")
    assert {"name": "state", "emptyDir": {}} in pod(only(objects, "Deployment"))["volumes"]


def test_a_claim_is_made_and_kept_or_taken_over():
    objects = variant("everything")
    claim = only(objects, "PersistentVolumeClaim")
    assert claim["metadata"]["annotations"] == {"backup": "no", "helm.sh/resource-policy": "keep"}
    assert claim["spec"]["storageClassName"] == ""
    state = {"name": "state", "persistentVolumeClaim": {"claimName": claim["metadata"]["name"]}}
    assert state in pod(only(objects, "Deployment"))["volumes"]

    claim = only(rendered(merged(TOKEN, {"persistence": {"enabled": True}})), "PersistentVolumeClaim")
    assert "annotations" not in claim["metadata"] and "storageClassName" not in claim["spec"]

    objects = variant("existing-claim")
    assert not of_kind(objects, "PersistentVolumeClaim")
    state = {"name": "state", "persistentVolumeClaim": {"claimName": "counts"}}
    assert state in pod(only(objects, "Deployment"))["volumes"]


def test_a_deployment_never_has_two_pods_at_once():
    assert only(variant("token"), "Deployment")["spec"]["strategy"] == {"type": "Recreate"}


def test_replicas_share_a_lease_that_they_and_nobody_else_may_change():
    for name, leases in (("replicas", ["webhooks"]), ("sharded-replicas", ["demo-cotalker-webhook-exporter-all"])):
        objects = variant(name)
        workload, = workloads(objects)
        assert environment(exporter(workload))["EXPORTER_REPLICA_LEASE"] == leases[0]
        named, unnamed = only(objects, "Role")["rules"]
        assert named == {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "resourceNames": leases,
                         "verbs": ["get", "update"]}
        assert unnamed == {"apiGroups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]}
        binding = only(objects, "RoleBinding")
        assert binding["roleRef"]["name"] == only(objects, "Role")["metadata"]["name"]
        assert [subject["name"] for subject in binding["subjects"]] == [pod(workload)["serviceAccountName"]]


def test_the_token_is_where_the_exporter_looks_for_it_and_in_this_container_only():
    workload = only(variant("replicas"), "Deployment")
    assert pod(workload)["automountServiceAccountToken"] is False
    (mount,) = (mount for mount in exporter(workload)["volumeMounts"] if mount["name"] == "cotalker-kubernetes")
    assert mount == {"name": "cotalker-kubernetes", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "readOnly": True}
    (volume,) = (volume for volume in pod(workload)["volumes"] if volume["name"] == "cotalker-kubernetes")
    token, ca, namespace = volume["projected"]["sources"]
    paths = [token["serviceAccountToken"]["path"], ca["configMap"]["items"][0]["path"], namespace["downwardAPI"]["items"][0]["path"]]
    assert paths == ["token", "ca.crt", "namespace"]


def test_a_single_pod_does_not_use_the_kubernetes_api():
    objects = variant("token")
    assert not of_kind(objects, "Role", "RoleBinding")
    deployment = only(objects, "Deployment")
    assert "cotalker-kubernetes" not in [volume["name"] for volume in pod(deployment)["volumes"]]
    assert "EXPORTER_REPLICA_LEASE" not in environment(exporter(deployment))


def test_replicas_roll_one_by_one_and_none_ends_before_its_successor_is_ready():
    strategy = only(variant("replicas"), "Deployment")["spec"]["strategy"]
    assert strategy == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}


def test_each_shard_is_a_stateful_set_with_its_own_webhooks_volume_and_selector():
    objects = variant("sharded")
    shards = workloads(objects)
    watched = {}
    for shard in shards:
        assert shard["kind"] == "StatefulSet"
        assert shard["spec"]["podManagementPolicy"] == "Parallel", "a pod that never gets ready would stop the upgrade that fixes it"
        labels = pod_template_of(shard)["metadata"]["labels"]
        takers = [other["metadata"]["name"] for other in shards
                  if other["spec"]["selector"]["matchLabels"].items() <= labels.items()]
        assert takers == [shard["metadata"]["name"]]
        assert only(objects, "Service")["spec"]["selector"].items() <= labels.items()
        assert shard["spec"]["volumeClaimTemplates"][0]["metadata"]["name"] == "state"
        watched[labels["shard"]] = {key.removeprefix("EXPORTER_WEBHOOK_"): value
                                    for key, value in environment(exporter(shard)).items()
                                    if key.endswith(("_ID", "_INCLUDE", "_EXCLUDE"))}
    assert watched == {
        "orders": {"INCLUDE": "order_.*$|^x$(y)", "EXCLUDE": "order_test"},
        "chosen": {"ID": "62685990d918fb5557f9f992,62685990d918fb5557f9f993"},
        "rest": {"EXCLUDE": "order_.*"},
    }
    assert only(objects, "PodMonitor")["spec"]["podTargetLabels"] == ["shard"]


def test_a_long_name_leaves_a_shard_room_for_the_hash_that_kubernetes_adds():
    values = {"fullnameOverride": "n" * 63, "shards": [{"name": "s" * 20, "include": "x"}], "dashboards": {"enabled": True}}
    objects = rendered(merged(TOKEN, values))
    assert len(only(objects, "StatefulSet")["metadata"]["name"]) == 52
    for obj in objects:
        assert_valid(obj)


# Names, labels, upgrades


def test_names_and_namespace_can_be_chosen():
    objects = variant("names")
    by_kind = {obj["kind"]: obj["metadata"] for obj in objects}
    assert by_kind["Deployment"]["name"] == by_kind["Service"]["name"] == "webhook-watch"
    assert by_kind["Deployment"]["labels"]["app.kubernetes.io/name"] == "webhooks"
    assert {kind: metadata["namespace"] for kind, metadata in by_kind.items()} == {
        "Deployment": "elsewhere", "Service": "elsewhere", "Pod": "elsewhere", "ConfigMap": "grafana", "PrometheusRule": "monitoring"}
    deployment = only(objects, "Deployment")
    assert pod(deployment)["serviceAccountName"] == "theirs"
    assert exporter(deployment)["image"] == f"registry.example.com:5000/exporter@sha256:{'0123456789abcdef' * 4}"


@pytest.mark.parametrize(("values", "image"), [
    ({}, "ghcr.io/cotalker-webhook-exporter/cotalker-webhook-exporter:"),
    ({"image": {"registry": "registry.example.com"}}, "registry.example.com/cotalker-webhook-exporter/cotalker-webhook-exporter:"),
    ({"image": {"registry": "", "repository": "exporter"}}, "exporter:"),
    ({"image": {"repository": "example/exporter"}}, "ghcr.io/example/exporter:"),
    ({"image": {"repository": "localhost/exporter"}}, "localhost/exporter:"),
    ({"image": {"repository": "registry:5000/exporter"}}, "registry:5000/exporter:"),
    ({"global": {"imageRegistry": "mirror.example.com/ghcr"}},
     "mirror.example.com/ghcr/cotalker-webhook-exporter/cotalker-webhook-exporter:"),
    ({"global": {"imageRegistry": "mirror.example.com"}, "image": {"repository": "registry.example.com/exporter"}},
     "registry.example.com/exporter:"),
])
def test_a_registry_replaces_that_of_the_image_unless_the_repository_names_one(values, image):
    objects = rendered(merged(TOKEN, values, {"image": {"tag": "1"}}))
    containers = [container for obj in of_kind(objects, "Deployment", "Pod") for container in pod(obj)["containers"]]
    assert {container["image"] for container in containers} == {image + "1"}


def test_a_release_named_like_the_chart_does_not_say_it_twice():
    text = run(NEWEST, "helm", "template", "cotalker-webhook-exporter", CHART, "--set", "cotalker.existingSecret=cotalker")
    assert only(load(text), "Deployment")["metadata"]["name"] == "cotalker-webhook-exporter"


def test_labels_of_the_user_are_on_all_objects_and_never_replace_those_of_selectors():
    theirs = {"team": "integrations", "app.kubernetes.io/instance": "other"}
    values = merged(yaml.safe_load((CHART / "ci/everything-values.yaml").read_text()), {"commonLabels": theirs, "podLabels": theirs})
    for obj in rendered({**values, "extraManifests": []}):
        assert obj["metadata"]["labels"]["team"] == "integrations"
        assert obj["metadata"]["labels"]["app.kubernetes.io/instance"] == "demo"
        assert_valid(obj)


@pytest.fixture(scope="module")
def next_version(tmp_path_factory):
    """The chart as it would be packaged as a later version."""
    directory = tmp_path_factory.mktemp("package")
    run(NEWEST, "helm", "package", CHART, "--version", "9.9.9", "--app-version", "9.9.9", "--destination", directory)
    return directory / "cotalker-webhook-exporter-9.9.9.tgz"


@pytest.mark.parametrize("name", ["token", "sharded", "existing-claim"])
def test_an_upgrade_changes_nothing_that_kubernetes_refuses_to_change(name, next_version):
    def immutable(objects):
        return [{key: workload["spec"].get(key) for key in ("selector", "serviceName", "podManagementPolicy", "volumeClaimTemplates")}
                for workload in workloads(objects)]

    upgraded = variant(name, chart=next_version)
    assert immutable(upgraded) == immutable(variant(name))
    assert exporter(workloads(upgraded)[0])["image"].endswith(":9.9.9")


def test_a_package_holds_the_files_but_not_the_variants_of_the_tests(next_version):
    names = {name.removeprefix("cotalker-webhook-exporter/") for name in tarfile.open(next_version).getnames()}
    assert {"README.md", "values.schema.json", "files/rules.yml", "files/dashboard.json"} <= names
    assert not [name for name in names if name.startswith(("ci", "."))]


def test_another_chart_can_depend_on_it(tmp_path):
    shutil.copytree(CHART, tmp_path / "parent/charts/cotalker-webhook-exporter")
    version = yaml.safe_load((CHART / "Chart.yaml").read_text())["version"]
    (tmp_path / "parent/Chart.yaml").write_text(yaml.dump({
        "apiVersion": "v2", "name": "parent", "version": "1.0.0", "dependencies": [{
            "name": "cotalker-webhook-exporter", "version": version, "condition": "cotalker-webhook-exporter.enabled"}]}))
    for enabled in (True, False):
        values = {"global": {"x": 1}, "cotalker-webhook-exporter": {"enabled": enabled, **TOKEN}}
        for helm in KUBERNETES_VERSIONS:
            assert len(workloads(rendered(values, helm=helm, chart=tmp_path / "parent"))) == int(enabled)


# Prometheus and Grafana


@pytest.mark.parametrize(("copy", "original"), [
    ("rules.yml", "deploy/prometheus/rules.yml"),
    ("dashboard.json", "deploy/grafana/dashboard.json"),
])
def test_the_chart_carries_the_files_of_the_repository(copy, original):
    assert (CHART / "files" / copy).read_bytes() == (ROOT / original).read_bytes(), f"copy {original} to files/{copy}"


def test_the_rules_arrive_as_they_are():
    rules = yaml.safe_load((ROOT / "deploy/prometheus/rules.yml").read_text())
    assert only(variant("names"), "PrometheusRule")["spec"] == rules


def test_an_alert_can_be_left_out_and_all_can_be_routed():
    rules = yaml.safe_load((ROOT / "deploy/prometheus/rules.yml").read_text())
    for group in rules["groups"]:
        group["rules"] = [rule for rule in group["rules"] if rule.get("alert") != "CotalkerLogGap"]
        for rule in group["rules"]:
            if "alert" in rule:
                rule["labels"] |= {"team": "integrations", "severity": "page"}
                page = rule["annotations"]["runbook_url"].split("#")[1]
                rule["annotations"]["runbook_url"] = f"https://wiki.example.com/cotalker#{page}"
    own = yaml.safe_load((CHART / "ci/everything-values.yaml").read_text())["prometheusRule"]["rules"]
    rules["groups"].append({"name": "demo-cotalker-webhook-exporter", "rules": own})
    assert only(variant("everything"), "PrometheusRule")["spec"] == rules


def test_the_dashboard_is_in_a_config_map_that_the_sidecar_finds():
    for name, labels in (("names", {"grafana_dashboard": "1"}), ("everything", {"dashboards": "yes"})):
        config_map = of_kind(variant(name), "ConfigMap")[0]
        assert labels.items() <= config_map["metadata"]["labels"].items()
        shown = json.loads(config_map["data"]["cotalker-webhook-exporter.json"])
        assert shown == json.loads((CHART / "files/dashboard.json").read_text())


def written(path):
    return load((ROOT / "deploy" / path).read_text())


def test_grafanas_rules_are_in_a_config_map_that_the_sidecar_finds():
    (committed,) = written("grafana/alerting/rules.yaml")
    (group,) = committed["groups"]
    for values, labels, uid, folder, receiver in (
            (rendered(merged(TOKEN, {"grafanaAlerts": {"enabled": True}})), {"grafana_alert": "1"}, "prometheus", "Cotalker", None),
            (variant("everything"), {"alerts": "yes"}, "metrics", "Webhooks", "on-call")):
        (config_map,) = (obj for obj in of_kind(values, "ConfigMap") if obj["metadata"]["name"].endswith("-alerts"))
        assert labels.items() <= config_map["metadata"]["labels"].items()
        (provisioned,) = load(config_map["data"]["cotalker-webhook-exporter-alerts.yaml"])
        (found,) = provisioned["groups"]
        assert found["folder"] == folder
        for rule, wanted in zip(found["rules"], group["rules"], strict=True):
            settings = rule.pop("notification_settings", {})
            assert settings.get("receiver") == receiver and (receiver is None or "webhook_id" in settings["group_by"])
            assert rule["data"][0].pop("datasourceUid") == uid
            assert wanted["data"][0]["datasourceUid"] == "${COTALKER_DATASOURCE_UID}"
            assert rule == {**wanted, "data": [{k: v for k, v in wanted["data"][0].items() if k != "datasourceUid"}, *wanted["data"][1:]]}


def test_the_grafana_operator_gets_what_the_repository_has_for_it():
    committed = {(obj["kind"], obj["spec"].get("name")): obj["spec"] for obj in written("grafana/operator/alerting.yaml")}
    values = {"grafanaOperator": {"enabled": True, "notifications": {"enabled": True}}}
    found = [obj for obj in rendered(merged(TOKEN, values)) if obj["apiVersion"].startswith("grafana.")]
    assert len(found) == len(committed) - 1, "all but the policy of the whole Grafana"
    by_kind = {obj["kind"]: obj for obj in found}
    folder = by_kind["GrafanaFolder"]["metadata"]["name"]
    for obj in found:
        spec = dict(obj["spec"])
        if obj["kind"] != "GrafanaNotificationPolicyRoute":
            assert spec.pop("allowCrossNamespaceImport") is False
        if obj["kind"] == "GrafanaDashboard":
            assert json.loads(spec["json"]) == json.loads((CHART / "files/dashboard.json").read_text())
            assert spec["folderRef"] == folder
            continue
        name = "cotalker-webhook-alerts" if obj["kind"] == "GrafanaAlertRuleGroup" else spec.get("name")
        wanted = committed.get((obj["kind"], name)) or committed[obj["kind"], None]
        if obj["kind"] == "GrafanaAlertRuleGroup":
            assert spec.pop("folderRef") == folder
            wanted = {key: value for key, value in wanted.items() if key != "folderRef"}
        assert spec == wanted, obj["kind"]
    everything = [obj for obj in variant("everything") if obj["apiVersion"].startswith("grafana.")]
    assert all(obj["metadata"]["namespace"] == "grafana" for obj in everything)
    assert {rule["data"][0]["datasourceUid"] for rule in only(everything, "GrafanaAlertRuleGroup")["spec"]["rules"]} == {"metrics"}


def test_the_alertmanager_config_is_one_of_the_prometheus_operator():
    (config,) = written("prometheus/alertmanager-config.yaml")
    assert_valid(config)


ENDPOINT_COMES_BACK = [
    {"sourceLabels": ["exported_endpoint"], "regex": "(.+)", "targetLabel": "endpoint"},
    {"regex": "exported_endpoint", "action": "labeldrop"},
]


@pytest.mark.parametrize("kind", ["ServiceMonitor", "PodMonitor"])
def test_a_monitor_finds_the_pods_and_says_how_to_scrape_them(kind):
    key = kind[0].lower() + kind[1:]
    given = yaml.safe_load((CHART / "ci/everything-values.yaml").read_text())["serviceMonitor"]
    if kind == "PodMonitor":
        del given["targetLabels"]
    objects = rendered(merged(TOKEN, {key: given}))
    monitor = only(objects, kind)
    assert_valid(monitor)
    target = only(objects, "Service") if kind == "ServiceMonitor" else pod_template_of(only(objects, "Deployment"))
    assert monitor["spec"]["selector"]["matchLabels"].items() <= target["metadata"]["labels"].items()
    assert monitor["spec"]["namespaceSelector"] == {"matchNames": ["prod"]}
    assert monitor["spec"]["jobLabel"] == given["jobLabel"]
    assert given["jobLabel"] in target["metadata"]["labels"]
    (endpoint,) = monitor["spec"]["endpoints" if kind == "ServiceMonitor" else "podMetricsEndpoints"]
    for_all = ("sampleLimit", "targetLabels", "podTargetLabels")
    assert {name: monitor["spec"].get(name) for name in for_all} == {name: given.get(name) for name in for_all}
    beside = ("enabled", "namespace", "labels", "annotations", "jobLabel", *for_all)
    assert endpoint["metricRelabelings"][:2] == ENDPOINT_COMES_BACK
    endpoint["metricRelabelings"] = endpoint["metricRelabelings"][2:]
    assert endpoint == {"port": "http", "path": "/metrics"} | {k: v for k, v in given.items() if k not in beside}
    assert monitor["metadata"]["namespace"] == "monitoring"
    assert monitor["metadata"]["labels"]["release"] == "prometheus"


# What a target gets: from the operator (generateServiceMonitorConfig and generatePodMonitorConfig in its
# pkg/prometheus/promcfg.go), from Prometheus itself (instance), and from the chart (shard).
TARGET_LABELS = {"namespace", "service", "node", "pod", "container", "job", "endpoint", "instance", "shard"}


def labels_of_the_page():
    """From docs/metrics.md, which a test of the exporter writes."""
    rows = [[cell.strip() for cell in line.split("|")] for line in (ROOT / "docs/metrics.md").read_text().splitlines()]
    (header,) = [row for row in rows if "metric" in row]
    labels = [row[header.index("labels")] for row in rows if len(row) > 1 and row[1].startswith("`cotalker_")]
    return set(re.findall(r"`(\w+)`", " ".join(labels)))


@pytest.mark.parametrize("kind", ["ServiceMonitor", "PodMonitor"])
def test_a_monitor_leaves_the_pages_own_labels_alone(kind):
    assert labels_of_the_page() & TARGET_LABELS == {"endpoint"}, "another one would hide where a series comes from"
    key = kind[0].lower() + kind[1:]
    monitor = only(rendered(merged(TOKEN, {key: {"enabled": True}})), kind)
    (endpoint,) = monitor["spec"]["endpoints" if kind == "ServiceMonitor" else "podMetricsEndpoints"]
    assert endpoint["honorLabels"] is True


def test_a_network_policy_lets_through_scrapes_names_and_the_api_and_nothing_else():
    policy = only(rendered(merged(TOKEN, {"networkPolicy": {"enabled": True}})), "NetworkPolicy")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert policy["ingress"] == [{"ports": [{"port": 10942, "protocol": "TCP"}]}]
    names, api = policy["egress"]
    assert {(port["port"], port["protocol"]) for port in names["ports"]} == {
        (port, protocol) for port in (53, 5353) for protocol in ("UDP", "TCP")}
    assert api == {"ports": [{"port": 443, "protocol": "TCP"}]}

    assert only(variant("replicas"), "NetworkPolicy")["spec"]["egress"][2] == {
        "ports": [{"port": 6443, "protocol": "TCP"}], "to": [{"ipBlock": {"cidr": "10.0.0.1/32"}}]}

    policy = only(variant("everything"), "NetworkPolicy")["spec"]
    given = yaml.safe_load((CHART / "ci/everything-values.yaml").read_text())["networkPolicy"]
    labels = {"app.kubernetes.io/name": "cotalker-webhook-exporter-test", "app.kubernetes.io/instance": "demo"}
    test = {"podSelector": {"matchLabels": labels}}
    assert policy["ingress"][0]["from"] == [test, *given["ingress"]["from"]]
    assert labels.items() <= only(variant("everything"), "Pod")["metadata"]["labels"].items()
    assert policy["egress"][1]["to"] == given["egress"]["to"]
    assert [port["port"] for port in policy["egress"][1]["ports"]] == [443, 3128]


def test_an_extra_manifest_is_taken_as_it_is_and_only_text_is_a_template():
    names = {obj["metadata"]["name"]: obj for obj in of_kind(variant("everything"), "ConfigMap")}
    assert names["as-it-is"]["data"] == {"text": "{{ $labels.webhook }} of {{ .Release.Name }}"}
    assert names["demo-cotalker-webhook-exporter-text"]["data"] == {"release": "demo"}


# Beside Prometheus


def test_google_scrapes_the_same_pods_and_tells_shards_apart():
    for name, labels in (("everything", None), ("sharded", {"fromPod": [{"from": "shard"}]})):
        objects = variant(name)
        spec = only(objects, "PodMonitoring")["spec"]
        assert spec.get("targetLabels") == labels
        for workload in workloads(objects):
            assert spec["selector"]["matchLabels"].items() <= pod_template_of(workload)["metadata"]["labels"].items()
            (port,) = exporter(workload)["ports"]
            assert spec["endpoints"][0]["port"] == port["name"]


@pytest.mark.parametrize("name", ["everything", "sharded"])
def test_each_workload_has_an_autoscaler_for_the_exporter_alone(name):
    objects = variant(name)
    specs = [obj["spec"] for obj in of_kind(objects, "VerticalPodAutoscaler")]
    assert [(spec["targetRef"]["kind"], spec["targetRef"]["name"]) for spec in specs] == [
        (workload["kind"], workload["metadata"]["name"]) for workload in workloads(objects)]
    assert {policy["containerName"] for spec in specs for policy in spec["resourcePolicy"]["containerPolicies"]} == {"exporter"}
