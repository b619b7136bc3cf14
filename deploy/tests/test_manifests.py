"""The checks themselves: each refuses what it is there for."""

import copy
import json

import pytest

from kubernetes_tools import KUBERNETES_VERSIONS, run
from manifests import assert_restricted, assert_valid, flags_of, load

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: receiver, labels: {app: receiver}}
spec:
  selector: {matchLabels: {app: receiver}}
  template:
    metadata: {labels: {app: receiver}}
    spec:
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      initContainers:
        - &container
          name: first
          image: example.com/first:1
          command: [/exporter, check]
          args: [--poll.interval=60s]
          securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
          livenessProbe: {httpGet: {path: /, port: 8080}}
          volumeMounts: [{name: state, mountPath: /state}]
      containers:
        - {<<: *container, name: second}
      volumes: [{name: state, emptyDir: {}}]
"""
POD_MONITOR = """
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata: {name: receiver}
spec:
  selector: {matchLabels: {app: receiver}}
  podMetricsEndpoints: [{portNumber: 10942, path: /metrics, interval: 30s}]
"""
PROMETHEUS_RULE = """
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: rules}
spec:
  groups: [{name: cotalker, rules: [{alert: Lost, expr: up == 0, for: 5m, labels: {severity: page}}]}]
"""
SERVICE_MONITOR = """
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: receiver}
spec:
  selector: {matchLabels: {app: receiver}}
  endpoints: [{port: metrics, scheme: https, tlsConfig: {insecureSkipVerify: false}}]
"""
RIGHT = {"deployment": DEPLOYMENT, "podmonitor": POD_MONITOR, "rule": PROMETHEUS_RULE, "servicemonitor": SERVICE_MONITOR}
TEMPLATE = ["spec", "template", "spec"]


def only(text):
    (obj,) = load(text)
    # What an anchor names is one object in all its places until it is copied.
    return json.loads(json.dumps(obj))


def changed(obj, path, value):
    """A copy with the value at the path, through dicts and lists, set."""
    obj = copy.deepcopy(obj)
    target = obj
    for step in path[:-1]:
        target = target.setdefault(step, {}) if isinstance(target, dict) else target[step]
    target[path[-1]] = value
    return obj


@pytest.mark.parametrize("kind", RIGHT)
def test_a_right_object_is_valid(kind):
    assert_valid(only(RIGHT[kind]))


@pytest.mark.parametrize(("kind", "path", "value", "complaint"), [
    ("deployment", ["spec", "replica"], 1, "replica"),
    ("deployment", [*TEMPLATE, "containers", 0, "readOnlyRootFilesystem"], True, "readOnlyRootFilesystem"),
    ("deployment", [*TEMPLATE, "containers", 0, "securityContext", "runAsNonroot"], True, "runAsNonroot"),
    ("deployment", ["metadata", "label"], {}, "label"),
    ("podmonitor", ["spec", "podMetricEndpoints"], [], "podMetricEndpoints"),
    ("podmonitor", ["spec", "podMetricsEndpoints", 0, "portnumber"], 1, "portnumber"),
    ("podmonitor", ["metadata", "label"], {}, "label"),
    ("servicemonitor", ["spec", "endpoints", 0, "tlsConfig", "insecure"], True, "insecure"),
    ("servicemonitor", ["spec", "selector", "labels"], {}, "labels"),
    ("rule", ["spec", "groups", 0, "rules", 0, "annotation"], {}, "annotation"),
])
def test_a_field_that_does_not_exist_is_refused(kind, path, value, complaint):
    with pytest.raises(AssertionError, match=complaint):
        assert_valid(changed(only(RIGHT[kind]), path, value))


@pytest.mark.parametrize(("kind", "path", "value"), [
    ("deployment", ["spec", "replicas"], "1"),
    ("deployment", [*TEMPLATE, "enableServiceLinks"], "no"),
    ("podmonitor", ["spec", "podMetricsEndpoints", 0, "portNumber"], "metrics"),
    ("podmonitor", ["spec", "podMetricsEndpoints", 0, "portNumber"], 70000),
    ("podmonitor", ["spec", "podMetricsEndpoints", 0, "interval"], "30 seconds"),
    ("podmonitor", ["spec", "podMetricsEndpoints", 0, "path"], None),
    ("podmonitor", ["spec", "podMetricsEndpoints", 0, "scheme"], "ftp"),
    ("rule", ["spec", "groups", 0, "rules", 0, "for"], "soon"),
    ("rule", ["spec", "groups", 0, "rules", 0, "labels", "page"], True),
])
def test_a_value_of_the_wrong_kind_is_refused(kind, path, value):
    with pytest.raises(AssertionError, match=str(path[-1])):
        assert_valid(changed(only(RIGHT[kind]), path, value))


@pytest.mark.parametrize(("kind", "path"), [
    ("deployment", ["spec", "template"]),
    ("podmonitor", ["spec", "selector"]),
    ("servicemonitor", ["spec"]),
    ("rule", ["spec", "groups", 0, "rules", 0, "expr"]),
])
def test_a_field_that_must_be_there_is_missed(kind, path):
    obj = only(RIGHT[kind])
    target = obj
    for step in path[:-1]:
        target = target[step]
    del target[path[-1]]
    with pytest.raises(AssertionError, match=f"'{path[-1]}' is a required property"):
        assert_valid(obj)


@pytest.mark.parametrize("version", ["apps/v1beta2", "monitoring.coreos.com/v1beta9"])
def test_an_api_that_is_gone_or_never_was_is_refused(version):
    with pytest.raises(AssertionError, match="schema"):
        assert_valid(only(DEPLOYMENT) | {"apiVersion": version})


def test_an_object_must_fit_the_oldest_kubernetes_too():
    # Of 1.34; https://kubernetes.io/docs/concepts/workloads/pods/pod-hostname/
    newer = changed(only(DEPLOYMENT), [*TEMPLATE, "hostnameOverride"], "receiver")
    assert_valid(newer, [KUBERNETES_VERSIONS[-1]])
    with pytest.raises(AssertionError, match="hostnameOverride"):
        assert_valid(newer)


@pytest.mark.parametrize(("path", "value", "complaint"), [
    (["metadata", "name"], "Receiver", "metadata.name"),
    (["metadata", "labels", "app"], "a" * 64, "label app"),
    (["spec", "template", "metadata", "labels", "app"], "other", "the selector wants app=receiver"),
    ([*TEMPLATE, "volumes"], [], "mounts state, which is no volume"),
    ([*TEMPLATE, "volumes"], [{"name": "state"}, {"name": "state"}], "two volumes"),
    ([*TEMPLATE, "containers", 0, "name"], "first", "two containers"),
])
def test_what_schemas_cannot_say_is_refused(path, value, complaint):
    with pytest.raises(AssertionError, match=complaint):
        assert_valid(changed(only(DEPLOYMENT), path, value))


def test_the_claims_of_a_stateful_set_are_volumes():
    shard = changed(only(DEPLOYMENT) | {"kind": "StatefulSet"}, [*TEMPLATE, "volumes"], [])
    shard["spec"]["serviceName"] = "receiver"
    with pytest.raises(AssertionError, match="mounts state, which is no volume"):
        assert_valid(shard)
    claim = {"metadata": {"name": "state"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}
    shard["spec"]["volumeClaimTemplates"] = [claim]
    assert_valid(shard)
    with pytest.raises(AssertionError, match="two volumes"):
        assert_valid(changed(shard, [*TEMPLATE, "volumes"], [{"name": "state", "emptyDir": {}}]))


def test_a_key_that_stands_twice_is_refused():
    with pytest.raises(AssertionError, match="line 1: name stands twice"):
        load("name: a\nname: b\n")


def test_empty_documents_are_no_objects():
    assert load("---\n# nothing\n---\nkind: List\n---\n") == [{"kind": "List"}]


def test_flags_are_what_follows_the_program():
    assert flags_of(only(DEPLOYMENT)["spec"]["template"]["spec"]["initContainers"][0]) == ["check", "--poll.interval=60s"]


def test_a_tool_that_fails_says_why():
    with pytest.raises(RuntimeError, match="no-such-directory"):
        run(KUBERNETES_VERSIONS[0], "kubectl", "kustomize", "no-such-directory")


def test_a_restricted_pod_is_taken():
    assert_restricted(only(DEPLOYMENT)["spec"]["template"]["spec"], {"unrelated": "yes"})


# One row for each control of the table, in its order. "C" stands for a container, of any kind.
HOST = {"path": "/", "port": 8080, "host": "example.com"}
VIOLATIONS = [
    (["securityContext", "windowsOptions"], {"hostProcess": True}, "hostProcess"),
    (["C", "securityContext", "windowsOptions"], {"hostProcess": True}, "hostProcess"),
    (["hostNetwork"], True, "hostNetwork"),
    (["hostPID"], True, "hostPID"),
    (["hostIPC"], True, "hostIPC"),
    (["C", "securityContext", "privileged"], True, "privileged"),
    (["volumes"], [{"name": "state", "hostPath": {"path": "/"}}], "hostPath"),
    (["C", "ports"], [{"containerPort": 80, "hostPort": 80}], "hostPort"),
    (["C", "livenessProbe", "httpGet"], HOST, "livenessProbe asks host"),
    (["C", "readinessProbe", "tcpSocket"], HOST, "readinessProbe asks host"),
    (["C", "startupProbe", "httpGet"], HOST, "startupProbe asks host"),
    (["C", "lifecycle", "preStop", "httpGet"], HOST, "preStop asks host"),
    (["C", "lifecycle", "postStart", "tcpSocket"], HOST, "postStart asks host"),
    (["securityContext", "appArmorProfile"], {"type": "Unconfined"}, "appArmorProfile"),
    (["C", "securityContext", "appArmorProfile"], {"type": "Unconfined"}, "appArmorProfile"),
    (["securityContext", "seLinuxOptions"], {"type": "spc_t"}, "seLinuxOptions.type"),
    (["C", "securityContext", "seLinuxOptions"], {"user": "system_u"}, "seLinuxOptions.user"),
    (["C", "securityContext", "seLinuxOptions"], {"role": "system_r"}, "seLinuxOptions.role"),
    (["C", "securityContext", "procMount"], "Unmasked", "procMount"),
    (["securityContext", "seccompProfile"], {"type": "Unconfined"}, "seccompProfile is Unconfined"),
    (["C", "securityContext", "seccompProfile"], {"type": "Unconfined"}, "seccompProfile is Unconfined"),
    (["securityContext", "sysctls"], [{"name": "kernel.msgmax", "value": "1"}], "sysctl"),
    # From here on, what restricted adds to baseline.
    (["volumes"], [{"name": "state", "nfs": {"server": "a", "path": "/"}}], "nfs"),
    (["C", "securityContext", "allowPrivilegeEscalation"], True, "allowPrivilegeEscalation"),
    (["C", "securityContext"], {"capabilities": {"drop": ["ALL"]}}, "allowPrivilegeEscalation"),
    (["securityContext", "runAsNonRoot"], False, "runAsNonRoot"),
    (["C", "securityContext", "runAsNonRoot"], False, "runAsNonRoot"),
    (["securityContext"], {"seccompProfile": {"type": "RuntimeDefault"}}, "runAsNonRoot"),
    (["securityContext", "runAsUser"], 0, "runAsUser"),
    (["C", "securityContext", "runAsUser"], 0, "runAsUser"),
    (["securityContext"], {"runAsNonRoot": True}, "no seccompProfile"),
    (["C", "securityContext", "capabilities"], {"drop": ["CHOWN"]}, "drop lacks ALL"),
    (["C", "securityContext", "capabilities"], {"drop": ["ALL"], "add": ["CHOWN"]}, "capabilities.add has CHOWN"),
]


@pytest.mark.parametrize("kind", ["initContainers", "containers", "ephemeralContainers"])
@pytest.mark.parametrize(("path", "value", "complaint"), VIOLATIONS)
def test_a_violation_of_each_control_is_found_in_every_kind_of_container(kind, path, value, complaint):
    spec = only(DEPLOYMENT)["spec"]["template"]["spec"]
    spec["ephemeralContainers"] = copy.deepcopy(spec["containers"])
    path = [kind, 0, *path[1:]] if path[0] == "C" else path
    with pytest.raises(AssertionError, match=complaint) as failure:
        assert_restricted(changed(spec, path, value))
    if path[0] == kind:
        assert str(failure.value).count("\n") == 1, "the others are not blamed"


def test_an_unconfined_apparmor_annotation_is_found():
    with pytest.raises(AssertionError, match="AppArmor"):
        assert_restricted(
            only(DEPLOYMENT)["spec"]["template"]["spec"],
            {"container.apparmor.security.beta.kubernetes.io/second": "unconfined"},
        )
