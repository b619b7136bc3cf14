"""What deploy/ makes of the exporter, as a user's overlay or values adapt it to this cluster, and what its pods show."""

import os
import pathlib
import re

import yaml

from cluster import eventually, fetch
from cotalker import URL

ROOT = pathlib.Path(__file__).resolve().parents[2]
RECEIVER = "registry.test/receiver:1"
NAME = "cotalker-webhook-exporter"
POLLED_EVERY = 5

# What every exporter here is told. Most count what is in the logs, too: the right counts are then the simulator's since its
# world began.
ENVIRONMENT = [
    {"name": "COTALKER_BASE_URL", "value": URL},
    {"name": "COTALKER_CA_FILE", "value": "/etc/cotalker-ca/ca.crt"},
    {"name": "EXPORTER_POLL_INTERVAL", "value": f"{POLLED_EVERY}s"},
    {"name": "EXPORTER_POLL_RATE", "value": "0"},
    # The simulator is on the same processors as the whole cluster; and one connection can be cut off for sure.
    {"name": "EXPORTER_POLL_CONCURRENCY", "value": "1"},
]
CA_MOUNT = {"name": "cotalker-ca", "mountPath": "/etc/cotalker-ca", "readOnly": True}
CA_VOLUME = {"name": "cotalker-ca", "configMap": {"name": "cotalker-ca"}}


def kustomized(cluster, base, containers, storage=None, history="count"):
    """What `kubectl kustomize` makes of a base and a user's overlay, which patches its `containers`: as objects."""
    environment = ENVIRONMENT + [{"name": "EXPORTER_POLL_HISTORY", "value": history}]
    overlay = cluster.folder / f"overlay-{base}"
    overlay.mkdir(exist_ok=True)
    workload = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "any"}, "spec": {"template": {"spec": {
        containers: [{"name": NAME, "env": environment, "volumeMounts": [CA_MOUNT]}], "volumes": [CA_VOLUME]}}}}
    patches = [{"target": {"kind": "Deployment"}, "patch": yaml.safe_dump(workload)}]
    if storage:
        claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "any"},
                 "spec": {"storageClassName": storage}}
        patches.append({"target": {"kind": "PersistentVolumeClaim"}, "patch": yaml.safe_dump(claim)})
    (overlay / "kustomization.yaml").write_text(yaml.safe_dump({
        "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization",
        "resources": [os.path.relpath(ROOT / "deploy/kustomize" / base, overlay)],
        "images": [{"name": "docker.io/nginxinc/nginx-unprivileged", "newName": RECEIVER.split(":")[0], "newTag": "1"}],
        "patches": patches,
    }))
    return list(yaml.safe_load_all(cluster.kubectl("kustomize", overlay)))


def volume(cluster, name, namespace, claim, storage):
    """A volume on the node for a claim: what a cluster's storage would give it. Only fsGroup opens it to the exporter."""
    folder = cluster.folder / "volumes" / name
    folder.mkdir(parents=True)
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": {
        "capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "storageClassName": storage,
        "persistentVolumeReclaimPolicy": "Retain", "claimRef": {"namespace": namespace, "name": claim},
        "local": {"path": str(folder)}, "nodeAffinity": {"required": {"nodeSelectorTerms": [{"matchExpressions": [
            {"key": "kubernetes.io/hostname", "operator": "In", "values": ["node"]}]}]}}}}


def pods(cluster, namespace, selector):
    """The pods that are there to stay, oldest first."""
    found = [pod for pod in cluster.get("pod", namespace=namespace, selector=selector)["items"]
             if "deletionTimestamp" not in pod["metadata"]]
    return sorted(found, key=lambda pod: pod["metadata"]["creationTimestamp"])


def ready(cluster, namespace, selector, count=1):
    """That many pods, once all of them are ready."""
    def look():
        cluster.alive()
        found = pods(cluster, namespace, selector)
        conditions = [condition for pod in found for condition in pod["status"].get("conditions", ())]
        are = [condition["status"] for condition in conditions if condition["type"] == "Ready"]
        return len(found) == count and are == ["True"] * count and found

    return eventually(look, f"{count} pods {selector} in {namespace} are ready", 180)


def scrape(pod):
    """The samples of a pod's /metrics: series → value."""
    text = fetch(f"http://{pod['status']['podIP']}:10942/metrics")
    samples = re.findall(r"^([a-z_]+(?:\{.*\})?) (\S+)$", text, re.MULTILINE)
    return {series: float(value) for series, value in samples}


def total(samples, metric):
    """The sum of a metric over its series."""
    return sum(value for series, value in samples.items() if series.partition("{")[0] == metric)


def lost(samples):
    return total(samples, "cotalker_webhook_events_lost_total")


def container_status(pod, name=NAME):
    statuses = pod["status"].get("initContainerStatuses", []) + pod["status"].get("containerStatuses", [])
    return next(status for status in statuses if status["name"] == name)


def helm_values(**more):
    """The same for the chart, with further values by their dotted names: flags of helm."""
    values = {
        "cotalker.baseUrl": URL, "cotalker.existingSecret": "cotalker", "cotalker.ca.configMap": "cotalker-ca",
        "poll.interval": f"{POLLED_EVERY}s", "poll.history": "count", "poll.rate": "0",
    } | {name.replace("__", "."): value for name, value in more.items()}
    return [word for name, value in values.items() for word in ("--set", f"{name}={value}")]


def counts_truth(cotalker, samples_of):
    """The losses that `samples_of` tells of, if they are just the simulator's, with nothing lost between two looks at it."""
    before = cotalker.truth()["lost"]
    told = samples_of()
    return before == told == cotalker.truth()["lost"] and told
