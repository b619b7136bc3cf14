"""The kinds of the Prometheus operator that deploy/ has: each pod is a target, once, and each rule is evaluated."""

import yaml

from cluster import eventually
from exporter import NAME, ROOT, helm_values, kustomized, ready, scrape, volume

CHART = ROOT / "deploy/helm/cotalker-webhook-exporter"
SELECTOR = f"app.kubernetes.io/name={NAME}"


def scraped(monitoring, namespace, pods):
    """The targets of a namespace, once they are up and as many as its pods."""
    def look():
        targets = monitoring.targets(namespace)
        return [target["health"] for target in targets] == ["up"] * len(pods) and targets

    # The operator's reloader can miss that its Secret has changed, and looks again every 3 minutes.
    targets = eventually(look, f"{len(pods)} targets of {namespace} are up", 300)
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

    rules = eventually(evaluated, "all rules are evaluated and healthy", 300)
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


def test_increase_alone_sees_a_loss_that_is_older_than_the_first_scrape(cluster, cotalker, monitoring, namespace, figure):
    """Prometheus 3 knows from OpenMetrics since when a counter counts, and begins its series there at 0."""
    storage = f"storage-{namespace}"
    cluster.apply([volume(cluster, f"state-{namespace}", namespace, NAME, storage)])
    objects = kustomized(cluster, "standalone", "containers", storage, history="ignore")
    cluster.apply([one for one in objects if one["kind"] != "PodMonitor"], namespace)
    pod = ready(cluster, namespace, SELECTOR)[0]
    shown = eventually(lambda: {series: value for series, value in scrape(pod).items()
                                if series.startswith("cotalker_webhook_events_lost_total") and value > 0}, "an event is lost")
    cluster.apply([one for one in objects if one["kind"] == "PodMonitor"], namespace)
    scraped(monitoring, namespace, [pod])
    series = f'cotalker_webhook_events_lost_total{{namespace="{namespace}"}}'

    def of_those_shown(expression):
        values = {labels["webhook_id"]: value for labels, value in monitoring.query(expression)}
        return [values[one.split('webhook_id="')[1].split('"')[0]] for one in shown]

    increases = eventually(lambda: of_those_shown(f"increase({series}[10m])"), "Prometheus has two samples")
    assert min(of_those_shown(f"min_over_time({series}[10m])")) == 0, "a sample that no scrape has brought"
    # It reckons with a loss within half of what it has seen, and may so take one for a little more.
    assert all(increase >= 0.99 * value for increase, value in zip(increases, shown.values())), (increases, shown)
    figure(f"Prometheus 3 with created timestamps: {sum(shown.values()):.0f} event(s) lost before the first scrape, "
           f"increase() over it is {sum(increases):.2f}")
