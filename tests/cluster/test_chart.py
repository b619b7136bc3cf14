"""The chart, installed by Helm: what it makes is admitted, works, and may do no more than it has to."""

from cluster import Failed, eventually
from exporter import NAME, ROOT, helm_values, pods, ready, scrape, volume

CHART = ROOT / "deploy/helm/cotalker-webhook-exporter"
SELECTOR = f"app.kubernetes.io/name={NAME},app.kubernetes.io/component!=test"
ADDRESS = "10.96.0.60"


def test_two_replicas_install_pass_their_test_and_may_use_one_lease(cluster, cotalker, namespace, figure):
    cluster.helm("install", "orders", CHART, "--namespace", namespace, *helm_values(
        replica__count=2, networkPolicy__enabled="true", podDisruptionBudget__minAvailable=1,
        # There is no DNS: the pod of `helm test` finds the Service so.
        service__clusterIP=ADDRESS, **{"hostAliases[0]__ip": ADDRESS, "hostAliases[0]__hostnames[0]": f"orders-{NAME}"}))
    both = ready(cluster, namespace, SELECTOR, 2)
    leaders = eventually(lambda: (sum(scrape(pod)["cotalker_exporter_leader"] for pod in both) == 1) and both, "one pod leads")
    tested = cluster.helm("test", "orders", "--namespace", namespace, "--timeout", "120s")
    assert "Phase:          Succeeded" in tested
    policies = cluster.get("networkpolicy", namespace=namespace)["items"]
    assert len(policies) == 1

    account = f"system:serviceaccount:{namespace}:orders-{NAME}"

    def may(*what):
        try:
            return cluster.kubectl("auth", "can-i", *what, "--as", account, "--namespace", namespace).strip() == "yes"
        except Failed:
            return False

    lease = f"lease.coordination.k8s.io/orders-{NAME}"
    assert may("update", lease) and may("get", lease) and may("create", "leases")
    assert not any(may(*what) for what in (
        ("update", "lease.coordination.k8s.io/other"), ("list", "leases"), ("delete", lease), ("get", "secrets"),
        ("get", "pods"), ("get", "configmaps")))
    holder = cluster.get("lease", f"orders-{NAME}", namespace)["spec"]["holderIdentity"]
    assert sum(pod["metadata"]["name"] in holder for pod in leaders) == 1
    cluster.helm("uninstall", "orders", "--namespace", namespace, "--wait")
    assert pods(cluster, namespace, SELECTOR) == []
    figure(f"chart: admitted as restricted, `helm test` succeeded, {len(policies)} NetworkPolicy accepted; "
           "its account may get and update its own Lease, create one, and nothing else of what was asked")


def test_a_changed_value_rolls_out_without_a_lost_count(cluster, cotalker, namespace, figure):
    storage = f"storage-{namespace}"
    claim = f"orders-{NAME}"
    cluster.apply([volume(cluster, f"state-{namespace}", namespace, claim, storage)])
    values = helm_values(persistence__enabled="true", persistence__storageClass=storage)
    cluster.helm("install", "orders", CHART, "--namespace", namespace, *values)
    old = ready(cluster, namespace, SELECTOR)[0]
    last = scrape(old)
    cluster.helm("upgrade", "orders", CHART, "--namespace", namespace, *values, "--set", "log.level=debug")

    def replaced():
        found = ready(cluster, namespace, SELECTOR)
        return found[0]["metadata"]["uid"] != old["metadata"]["uid"] and found[0]

    first = scrape(eventually(replaced, "the new pod is ready"))
    counters = [series for series in last if series.startswith("cotalker_webhook_") and "_total{" in series]
    assert len(counters) > 100
    assert {series for series in counters if first.get(series, -1) < last[series]} == set()
    claimed = cluster.get("persistentvolumeclaim", claim, namespace)
    assert claimed["status"]["phase"] == "Bound"
    figure(f"chart: `helm upgrade` replaced the pod, and none of {len(counters)} counters was lower in the next one")
