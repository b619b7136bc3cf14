"""The kinds of the Prometheus operator that deploy/ has: each pod is a target, once, and each rule is evaluated."""

import yaml

from cluster import eventually
from exporter import NAME, ROOT, helm_values, kustomized, ready, volume

CHART = ROOT / "deploy/helm/cotalker-webhook-exporter"
SELECTOR = f"app.kubernetes.io/name={NAME}"


def scraped(monitoring, namespace, pods):
    """The targets of a namespace, once they are up and as many as its pods."""
    def look():
        targets = monitoring.targets(namespace)
        return [target["health"] for target in targets] == ["up"] * len(pods) and targets

    targets = eventually(look, f"{len(pods)} targets of {namespace} are up")
    assert {target["labels"]["pod"] for target in targets} == {pod["metadata"]["name"] for pod in pods}
    return targets


def test_a_service_monitor_and_the_rules_of_the_chart_reach_prometheus(cluster, cotalker, monitoring, namespace, figure):
    cluster.helm("install", "orders", CHART, "--namespace", namespace, *helm_values(
        serviceMonitor__enabled="true", prometheusRule__enabled="true"))
    scraped(monitoring, namespace, ready(cluster, namespace, SELECTOR))
    wanted = [rule for group in yaml.safe_load((ROOT / "deploy/prometheus/rules.yml").read_text())["groups"]
              for rule in group["rules"]]

    def evaluated():
        rules = monitoring.rules(namespace)
        return len(rules) == len(wanted) and all(rule["health"] == "ok" for rule in rules) and rules

    rules = eventually(evaluated, "all rules are evaluated and healthy", 180)
    assert {rule["name"] for rule in rules} == {rule.get("alert") or rule["record"] for rule in wanted}
    # The label that the operator would replace.
    calls = monitoring.query(f'cotalker_api_requests_total{{namespace="{namespace}"}}')
    assert {labels["endpoint"] for labels, _ in calls} >= {"list", "logs"}
    figure(f"ServiceMonitor: 1 target up; PrometheusRule: {len(rules)} rules evaluated and healthy in Prometheus 3")


def test_the_pod_monitors_of_kustomize_find_each_pod_once(cluster, cotalker, monitoring, namespace, figure):
    storage = f"storage-{namespace}"
    cluster.apply([volume(cluster, f"state-{namespace}", namespace, NAME, storage)])
    cluster.apply(kustomized(cluster, "standalone", "containers", storage), namespace)
    # Both in one namespace: neither monitor may take the other's pods.
    cluster.apply(kustomized(cluster, "sidecar-native", "initContainers"), namespace)
    pods = ready(cluster, namespace, SELECTOR) + ready(cluster, namespace, "app.kubernetes.io/name=receiver")
    targets = scraped(monitoring, namespace, pods)
    assert len({target["scrapePool"] for target in targets}) == 2
    figure("PodMonitors of kustomize: standalone and native sidecar in one namespace, one target for each pod")
