"""The exporter beside a receiver: who starts and who ends first, and a Job that has to end."""

import json

import pytest

from cluster import eventually
from cotalker import RESTRICTED
from exporter import NAME, RECEIVER, container_status, kustomized, ready, scrape

SELECTOR = "app.kubernetes.io/name=receiver"


def applied(cluster, namespace, base, containers):
    objects = [one for one in kustomized(cluster, base, containers) if one["kind"] != "PodMonitor"]
    cluster.apply(objects, namespace)
    return next(one for one in objects if one["kind"] == "Deployment"), ready(cluster, namespace, SELECTOR)[0]


@pytest.fixture
def ended(cluster, namespace):
    """Deletes a pod and tells its last state: a finalizer keeps it until it was looked at."""
    def end(pod):
        name = pod["metadata"]["name"]
        keep = [{"op": "add", "path": "/metadata/finalizers", "value": ["cluster.test/looked-at"]}]
        cluster.kubectl("patch", "pod", name, "--namespace", namespace, "--type=json", "--patch", json.dumps(keep))
        cluster.kubectl("delete", "pod", name, "--namespace", namespace, "--wait=false")

        def all_ended():
            seen = cluster.get("pod", name, namespace)
            return all("terminated" in container_status(seen, one)["state"] for one in (NAME, "receiver")) and seen

        last = eventually(all_ended, f"all containers of {name} have ended")
        release = [{"op": "remove", "path": "/metadata/finalizers"}]
        cluster.kubectl("patch", "pod", name, "--namespace", namespace, "--type=json", "--patch", json.dumps(release))
        return last

    return end


def test_the_native_sidecar_starts_before_the_receiver_and_ends_after_it(cluster, cotalker, namespace, ended, figure):
    _, pod = applied(cluster, namespace, "sidecar-native", "initContainers")
    eventually(lambda: scrape(pod)["cotalker_up"] == 1, "the sidecar reads the API")
    exporter, receiver = (container_status(pod, name) for name in (NAME, "receiver"))
    # Both by the kubelet's clock, to the second.
    assert exporter["state"]["running"]["startedAt"] <= receiver["state"]["running"]["startedAt"]
    last = ended(pod)
    exporter, receiver = (container_status(last, name)["state"]["terminated"] for name in (NAME, "receiver"))
    assert exporter["exitCode"] == receiver["exitCode"] == 0
    # The receiver takes two seconds to end. A sidecar that was told at the same time would have ended before it.
    assert exporter["finishedAt"] >= receiver["finishedAt"]
    figure(f"native sidecar: started {exporter['startedAt']}, receiver {receiver['startedAt']}; "
           f"ended {exporter['finishedAt']}, receiver {receiver['finishedAt']}, both with 0")


def test_the_classic_sidecar_runs_beside_the_receiver(cluster, cotalker, namespace, ended, figure):
    _, pod = applied(cluster, namespace, "sidecar-classic", "containers")
    eventually(lambda: scrape(pod)["cotalker_up"] == 1, "the sidecar reads the API")
    last = ended(pod)
    assert container_status(last)["state"]["terminated"]["exitCode"] == 0
    figure("classic sidecar: ready, reads the API, ended with 0")


def test_a_job_with_the_native_sidecar_ends(cluster, cotalker, namespace, figure):
    objects = kustomized(cluster, "sidecar-native", "initContainers")
    template = next(one for one in objects if one["kind"] == "Deployment")["spec"]["template"]["spec"]
    sidecar = next(one for one in template["initContainers"] if one["name"] == NAME)
    wanted = {mount["name"] for mount in sidecar["volumeMounts"]}
    cluster.apply([{"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "import"}, "spec": {
        "backoffLimit": 0, "template": {"spec": {
            "restartPolicy": "Never", "automountServiceAccountToken": False,
            "initContainers": [sidecar],
            "containers": [{"name": "receiver", "image": RECEIVER, "args": ["job"], "securityContext": RESTRICTED}],
            "volumes": [one for one in template["volumes"] if one["name"] in wanted]}}}}], namespace)
    job = eventually(lambda: (one := cluster.get("job", "import", namespace))["status"].get("completionTime") and one,
                     "the Job has ended")
    assert job["status"]["succeeded"] == 1
    pod = cluster.get("pod", namespace=namespace, selector="job-name=import")["items"][0]
    assert container_status(pod)["state"]["terminated"]["exitCode"] == 0
    figure(f"Job with a native sidecar: complete, {job['status']['startTime']} to {job['status']['completionTime']}")
