"""Three receivers with a sidecar each, from the example of the library chart: they share one set of calls."""

import shutil
import time

from cluster import Failed, eventually
from exporter import POLLED_EVERY, RECEIVER, ROOT, counts_truth, ready, scrape
from cotalker import URL

SELECTOR = "app.kubernetes.io/instance=orders"
# Long enough for some polls of the one that polls each interval.
WATCHED = 10 * POLLED_EVERY


def polls(cotalker, seconds):
    """Polls and calls that the API saw in a while."""
    before = cotalker.truth()
    time.sleep(seconds)
    after = cotalker.truth()
    return after["lists"] - before["lists"], after["calls"] - before["calls"]


def polls_of(pods):
    """How many polls each has ended."""
    return {pod["metadata"]["name"]: scrape(pod)['cotalker_exporter_polls_total{result="ok"}'] for pod in pods}


def have_polled(pods):
    """Whether each has read the logs once."""
    polled = polls_of(pods)
    if not all(polled.values()):
        raise Failed(f"polls of each: {polled}")
    return True


def test_three_sidecars_with_a_lease_make_the_calls_of_one_also_while_they_are_replaced(
        cluster, cotalker, monitoring, namespace, figure):
    charts = cluster.folder / "charts"
    shutil.copytree(ROOT / "deploy/helm", charts)
    chart = charts / "examples/receiver"
    cluster.helm("dependency", "build", chart)
    values = {
        "image": RECEIVER, "exporter.webhooks.include": "", "exporter.cotalker.baseUrl": URL,
        "exporter.cotalker.ca.configMap": "cotalker-ca", "exporter.poll.interval": f"{POLLED_EVERY}s",
        "exporter.extraEnv[0].name": "EXPORTER_POLL_HISTORY", "exporter.extraEnv[0].value": "count",
        "exporter.extraEnv[1].name": "EXPORTER_POLL_RATE", "exporter.extraEnv[1].value": "0",
    }

    def install(**more):
        given = values | {name.replace("__", "."): value for name, value in more.items()}
        cluster.helm("upgrade", "--install", "orders", chart, "--namespace", namespace,
                     *(word for name, value in given.items() for word in ("--set-string", f"{name}={value}")))

    def led(pods):
        return sum(scrape(pod)["cotalker_exporter_leader"] for pod in pods) == 1 and pods

    # A number, where the rest are texts.
    def scaled(replicas, **more):
        install(**more)
        cluster.kubectl("scale", "deployment/orders", "--namespace", namespace, "--replicas", str(replicas))
        pods = ready(cluster, namespace, SELECTOR, replicas)
        return eventually(lambda: led(pods), f"one of {replicas} leads")

    eventually(lambda: all(scrape(pod)["cotalker_up"] == 1 for pod in scaled(1)), "one sidecar reads the API")
    polls_of_one, calls_of_one = polls(cotalker, WATCHED)

    three = scaled(3)
    # Each of the new ones reads everything once, to have counts of its own.
    eventually(lambda: have_polled(three), "each of the three has polled")
    standing_by = [pod for pod in three if scrape(pod)["cotalker_exporter_leader"] == 0]
    before = polls_of(standing_by)
    polls_of_three, calls_of_three = polls(cotalker, WATCHED)
    assert len(standing_by) == 2 and polls_of(standing_by) == before
    assert max(polls_of_one, polls_of_three) <= WATCHED / POLLED_EVERY + 1, (polls_of_one, polls_of_three)

    before, began = cotalker.truth(), time.monotonic()
    scaled(3, exporter__log__level="debug")
    old = {pod["metadata"]["name"] for pod in three}

    def replaced():
        pods = ready(cluster, namespace, SELECTOR, 3)
        return not old & {pod["metadata"]["name"] for pod in pods} and have_polled(pods)

    eventually(replaced, "all three are replaced, and the new ones have polled", 240)
    seconds = time.monotonic() - began
    after = cotalker.truth()
    rolled = after["lists"] - before["lists"]
    # Three new pods, each of which reads everything at its start, and whoever takes the Lease polls at once.
    at_most = seconds / POLLED_EVERY + 1 + 3 * 2
    assert rolled <= at_most, (rolled, at_most)

    sum_of_losses = f'sum(max by (webhook_id) (cotalker_webhook_events_lost_total{{namespace="{namespace}"}}))'
    lost = eventually(lambda: counts_truth(cotalker, lambda: monitoring.query(sum_of_losses)[0][1]),
                      "PromQL's sum of losses is the simulator's truth", 300)
    figure(f"replicas: {calls_of_one / WATCHED:.1f} calls/s of one, {calls_of_three / WATCHED:.1f} of three with a Lease, "
           f"{(after['calls'] - before['calls']) / seconds:.1f} during the rolling update ({rolled} polls in {seconds:.0f} s)")
    figure(f"replicas: PromQL's sum of losses after the rolling update is {lost:.0f}, as many as in the simulator")
