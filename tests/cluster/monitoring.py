"""The Prometheus operator, and a Prometheus that it configures."""

import json
import pathlib
import urllib.parse

from cluster import NODE, eventually, fetch

RELOADER = "registry.test/prometheus-config-reloader:1"
PROMETHEUS = "registry.test/prometheus:1"


class Monitoring:
    """One Prometheus, which takes every monitor and every rule of all namespaces."""

    def __init__(self, cluster):
        self.cluster = cluster
        for definition in (cluster.programs / "definitions").glob("*.yaml"):
            cluster.apply(definition.read_text())
        cluster.kubectl("wait", "--for", "condition=Established", "crd", "--all", "--timeout", "60s")
        # Beside the cluster and not in it, as a cluster's administrator: what it configures is what is tested.
        cluster.launch("operator", cluster.programs / "operator", "--apiserver", f"https://{NODE}:6443",
                       "--ca-file", "ca.crt", "--cert-file", "admin.crt", "--key-file", "admin.key",
                       "--web.listen-address", "127.0.0.1:8080", "--prometheus-config-reloader", RELOADER,
                       "--config-reloader-cpu-limit", "0", "--config-reloader-memory-limit", "0")
        self.namespace = cluster.namespace("monitoring")
        everything = {}
        cluster.apply([
            {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "prometheus"}},
            {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "prometheus"}, "rules": [
                {"apiGroups": [""], "resources": ["services", "endpoints", "pods"], "verbs": ["get", "list", "watch"]},
                {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["get", "list", "watch"]}]},
            {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "prometheus"},
             "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "prometheus"},
             "subjects": [{"kind": "ServiceAccount", "name": "prometheus", "namespace": self.namespace}]},
            {"apiVersion": "monitoring.coreos.com/v1", "kind": "Prometheus", "metadata": {"name": "all"}, "spec": {
                "replicas": 1, "image": PROMETHEUS, "version": "v3.15.1", "serviceAccountName": "prometheus",
                "enableFeatures": ["created-timestamp-zero-ingestion"],
                "scrapeInterval": "5s", "evaluationInterval": "5s",
                "securityContext": {"runAsNonRoot": True, "runAsUser": 65532, "fsGroup": 65532,
                                    "seccompProfile": {"type": "RuntimeDefault"}},
                **{f"{kind}{part}": everything for kind in ("serviceMonitor", "podMonitor", "rule")
                   for part in ("Selector", "NamespaceSelector")}}},
        ], self.namespace)

        def answers():
            cluster.alive()
            return self.query("vector(1)")

        eventually(answers, "Prometheus answers", 60)

    def _api(self, path):
        pod = self.cluster.get("pod", "prometheus-all-0", self.namespace)
        answer = json.loads(fetch(f"http://{pod['status']['podIP']}:9090/api/v1/{path}"))
        return answer["data"]

    def query(self, expression):
        """The samples of an instant query: labels and value."""
        result = self._api("query?" + urllib.parse.urlencode({"query": expression}))["result"]
        return [(sample["metric"], float(sample["value"][1])) for sample in result]

    def targets(self, namespace):
        """The targets in a namespace, as Prometheus tells of them."""
        return [target for target in self._api("targets?state=active")["activeTargets"]
                if target["labels"].get("namespace") == namespace]

    def rules(self, prefix):
        """The rules of all groups from files that begin so, as Prometheus tells of them."""
        groups = self._api("rules")["groups"]
        return [rule for group in groups if pathlib.Path(group["file"]).name.startswith(prefix) for rule in group["rules"]]
