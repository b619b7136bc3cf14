"""The exporter by itself, from kustomize, with its state on a volume."""

import json
import time

from cluster import Failed, eventually
from exporter import NAME, container_status, counts_truth, kustomized, lost, pods, ready, scrape, volume

SELECTOR = f"app.kubernetes.io/name={NAME}"


def applied(cluster, namespace):
    storage = f"storage-{namespace}"
    cluster.apply([volume(cluster, f"state-{namespace}", namespace, NAME, storage)])
    # The operator's kinds are not of every cluster; test_monitoring has them.
    objects = [one for one in kustomized(cluster, "standalone", "containers", storage) if one["kind"] != "PodMonitor"]
    cluster.apply(objects, namespace)
    return ready(cluster, namespace, SELECTOR)[0]


def test_no_count_goes_back_when_the_pod_is_replaced(cluster, cotalker, namespace, figure):
    old = applied(cluster, namespace)
    eventually(lambda: counts_truth(cotalker, lambda: lost(scrape(old))), "the exporter's losses are the simulator's")
    last = scrape(old)
    cluster.kubectl("delete", "pod", old["metadata"]["name"], "--namespace", namespace)
    new = ready(cluster, namespace, SELECTOR)[0]
    assert new["metadata"]["uid"] != old["metadata"]["uid"]
    first = scrape(new)
    counters = [series for series in last if series.partition("{")[0].startswith("cotalker_webhook_") and "_total" in series]
    assert len(counters) > 100
    assert {series for series in counters if first.get(series, -1) < last[series]} == set()
    all_lost = eventually(lambda: counts_truth(cotalker, lambda: lost(scrape(new))), "the new pod's losses are the simulator's")
    claim = cluster.get("persistentvolumeclaim", NAME, namespace)
    assert claim["status"]["phase"] == "Bound"
    figure(f"standalone on a volume: {len(counters)} counters, none lower in the next pod; "
           f"{all_lost:.0f} events lost, as many as in the simulator")


def test_a_new_token_and_a_new_ca_reach_the_process(cluster, cotalker, namespace, figure):
    pod = applied(cluster, namespace)

    def up(value):
        return scrape(pod)["cotalker_up"] == value

    eventually(lambda: up(1), "the exporter reads the API")
    cotalker.rotate_token()
    eventually(lambda: up(0), "the old token is refused")
    given = time.monotonic()
    cotalker.give_access(namespace)
    eventually(lambda: up(1), "the new token is read from the Secret")
    token_seconds = time.monotonic() - given

    cotalker.exchange_ca()
    eventually(lambda: scrape(pod)['cotalker_api_requests_total{endpoint="list",result="tls"}'] > 0,
               "the new certificate is not trusted")
    given = time.monotonic()
    cotalker.give_access(namespace)
    eventually(lambda: up(1), "the new CA is read from the ConfigMap")
    ca_seconds = time.monotonic() - given
    same = pods(cluster, namespace, SELECTOR)
    assert [one["metadata"]["uid"] for one in same] == [pod["metadata"]["uid"]]
    assert container_status(same[0])["restartCount"] == 0
    figure(f"a new Secret and a new ConfigMap: read again {token_seconds:.0f} s and {ca_seconds:.0f} s later "
           "by the same process, no restart")


def test_the_commands_of_the_documentation_work_in_the_pod(cluster, cotalker, namespace, figure):
    pod = applied(cluster, namespace)["metadata"]["name"]
    within = ("exec", pod, "--namespace", namespace, "--", "/cotalker-webhook-exporter")
    assert "hook_00001" in cluster.kubectl(*within, "check")
    assert json.loads(cluster.kubectl(*within, "check", "--output=json"))
    cluster.kubectl(*within, "healthcheck")
    figure("kubectl exec: check, check --output=json and healthcheck succeed")


def test_what_is_not_restricted_is_refused(cluster, namespace, figure):
    """Without it, that pods are admitted would show nothing."""
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "root"},
           "spec": {"containers": [{"name": "root", "image": "registry.test/receiver:1"}]}}
    try:
        cluster.apply([pod], namespace)
    except Failed as refusal:
        said = str(refusal)
    else:
        said = "the pod was admitted"
    assert 'violates PodSecurity "restricted' in said
    figure("Pod Security: a pod that may be root is refused in the namespaces of all these tests")
