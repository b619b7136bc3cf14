"""The simulated Cotalker in the cluster: a pod behind a Service with a fixed address, for there is no DNS."""

import json

from cluster import eventually, fetch

ADDRESS = "10.96.0.50"
URL = f"https://{ADDRESS}"
IMAGE = "registry.test/cluster-pods:1"
# What a container must have in a namespace that enforces *restricted*.
RESTRICTED = {
    "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


class Cotalker:
    def __init__(self, cluster):
        self.cluster = cluster
        self.token = "cluster"
        namespace = cluster.namespace("cotalker")
        labels = {"app": "simulator"}
        cluster.apply([
            {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "simulator"}, "spec": {
                "clusterIP": ADDRESS, "selector": labels, "ports": [
                    {"name": "api", "port": 443, "targetPort": 8443}, {"name": "truth", "port": 9000}]}},
            {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "simulator", "labels": labels}, "spec": {
                "automountServiceAccountToken": False,
                "containers": [{"name": "simulator", "image": IMAGE, "args": ["simulator", ADDRESS],
                                "securityContext": RESTRICTED}]}},
        ], namespace)
        eventually(self.truth, "the simulated Cotalker answers through its Service")

    def truth(self):
        """Since the world began: `attempts`, `failed`, `lost`, and the `calls` and `lists` that the API got."""
        return json.loads(fetch(f"http://{ADDRESS}:9000/truth"))

    def ca(self):
        return fetch(f"http://{ADDRESS}:9000/ca")

    def exchange_ca(self):
        """A certificate of another CA from the next connection on; the one that is open ends."""
        return fetch(f"http://{ADDRESS}:9000/ca", "POST")

    def rotate_token(self):
        """The token that works from now on."""
        self.token = fetch(f"http://{ADDRESS}:9000/token", "POST")
        return self.token

    def give_access(self, namespace):
        """The Secret and the ConfigMap that deploy/ takes token and CA from, in this namespace, as they are now."""
        self.cluster.apply([
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "cotalker"}, "stringData": {"token": self.token}},
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "cotalker-ca"}, "data": {"ca.crt": self.ca()}},
        ], namespace)
