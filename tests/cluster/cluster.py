"""A Kubernetes cluster of one node, in this process's namespaces and in one folder.

scripts/test-cluster gives the namespaces: of network, so that nothing here can be reached from outside, nor reach it; of
mounts, so that what the kubelet mounts is nobody else's; and of processes, so that all of it ends with the tests.
"""

import base64
import contextlib
import ipaddress
import json
import pathlib
import secrets
import subprocess
import time
import urllib.error
import urllib.request

# The node's, from the block for documentation: reserved, and routed nowhere.
NODE = "192.0.2.1"
NODE_NAME = "node"
PODS = "10.244.0.0/24"
SERVICES = "10.96.0.0/24"
# The first one of them is the API server's, by convention of Kubernetes.
API_SERVICE = str(ipaddress.ip_network(SERVICES)[1])
# scripts/test-cluster removes it.
CGROUP = "cluster-test"


class Failed(AssertionError):
    """A command that should have worked, or something that did not come about."""


class Ended(Exception):
    """A program of the cluster's that should run. Not a Failed: nothing is worth waiting for then."""


def run(*command, **options):
    """What a command prints."""
    ended = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)
    if ended.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}: {ended.returncode}\n{ended.stdout}{ended.stderr}")
    return ended.stdout


def eventually(look, what, seconds=120):
    """The first true value of `look`, which may raise as long as what it looks for is not there."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            seen = look()
            if seen:
                return seen
        except (Failed, OSError, ValueError, KeyError, IndexError) as error:
            seen = error
        if time.monotonic() > deadline:
            raise Failed(f"after {seconds} s still not: {what}; last seen: {seen}")
        time.sleep(0.5)


class Cluster:
    """etcd, API server, controllers, scheduler, kubelet, kube-proxy and containerd, from binaries in `programs`."""

    def __init__(self, folder, programs):
        self.folder = pathlib.Path(folder)
        self.programs = pathlib.Path(programs)
        self.processes = {}
        self.kubeconfig = self.folder / "admin.kubeconfig"
        self.containerd_socket = self.folder / "containerd.sock"

    # --- its start; its end is that of the namespaces

    def start(self):
        self._network()
        self._certificates()
        self._start_containerd()
        self._start_control_plane()
        self._start_node()

    def launch(self, name, *command):
        """Starts a program whose output goes to a file of its name."""
        with open(self.folder / f"{name}.log", "wb") as log:
            self.processes[name] = subprocess.Popen([str(word) for word in command], stdout=log, stderr=log, cwd=self.folder)

    def alive(self):
        """Says which of the programs have ended, as soon as one has."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                tail = (self.folder / f"{name}.log").read_text(errors="replace")[-3000:]
                raise Ended(f"{name} ended with {process.returncode}:\n{tail}")

    def _network(self):
        run("ip", "link", "set", "lo", "up")
        # Where packets to Services go before kube-proxy's rules send them elsewhere.
        run("ip", "link", "add", "node0", "type", "veth", "peer", "name", "node1")
        run("ip", "address", "add", f"{NODE}/24", "dev", "node0")
        for link in ("node0", "node1"):
            run("ip", "link", "set", link, "up")
        run("ip", "route", "add", "default", "dev", "node0")
        pathlib.Path("/proc/sys/net/ipv4/ip_forward").write_text("1")

    def _certificates(self):
        """One CA for all, a serving certificate of the API server, and client certificates by user and group."""
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                      "-subj", "/CN=cluster", "-keyout", "ca.key", "-out", "ca.crt")
        self._openssl("genrsa", "-out", "accounts.key", "2048")
        self._certificate("server", "/CN=kube-apiserver",
                          f"subjectAltName=IP:{NODE},IP:{API_SERVICE},IP:127.0.0.1,DNS:kubernetes.default.svc")
        for name, subject in {
            "admin": "/O=system:masters/CN=admin",
            "controllers": "/CN=system:kube-controller-manager",
            "scheduler": "/CN=system:kube-scheduler",
            "kubelet": f"/O=system:nodes/CN=system:node:{NODE_NAME}",
            "proxy": "/CN=system:kube-proxy",
        }.items():
            self._certificate(name, subject)
            self._kubeconfig(name)

    def _openssl(self, *arguments):
        run("openssl", *arguments, cwd=self.folder)

    def _certificate(self, name, subject, extension="extendedKeyUsage=clientAuth"):
        self._openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", subject,
                      "-keyout", f"{name}.key", "-out", f"{name}.csr")
        (self.folder / f"{name}.ext").write_text(extension)
        self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial",
                      "-days", "2", "-extfile", f"{name}.ext", "-out", f"{name}.crt")

    def _kubeconfig(self, name):
        inline = {part: base64.b64encode((self.folder / part).read_bytes()).decode()
                  for part in ("ca.crt", f"{name}.crt", f"{name}.key")}
        config = {
            "apiVersion": "v1", "kind": "Config", "current-context": "cluster",
            "clusters": [{"name": "cluster", "cluster": {
                "server": f"https://{NODE}:6443", "certificate-authority-data": inline["ca.crt"]}}],
            "users": [{"name": name, "user": {
                "client-certificate-data": inline[f"{name}.crt"], "client-key-data": inline[f"{name}.key"]}}],
            "contexts": [{"name": "cluster", "context": {"cluster": "cluster", "user": name}}],
        }
        (self.folder / f"{name}.kubeconfig").write_text(json.dumps(config))

    def _start_containerd(self):
        network = self.folder / "cni"
        network.mkdir()
        # One route for each pod and no bridge, so that whatever comes back to it passes kube-proxy's rules again.
        (network / "10-pods.conflist").write_text(json.dumps({
            "cniVersion": "0.4.0", "name": "pods",
            "plugins": [{"type": "ptp", "mtu": 1500, "ipam": {
                "type": "host-local", "dataDir": str(self.folder / "addresses"),
                "ranges": [[{"subnet": PODS}]], "routes": [{"dst": "0.0.0.0/0"}]}}],
        }))
        config = self.folder / "containerd.toml"
        config.write_text(f"""
version = 2
root = "{self.folder}/containerd"
state = "{self.folder}/containerd-state"
[grpc]
  address = "{self.containerd_socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  # Here, as in many containers, nobody may protect a process from being killed for memory.
  restrict_oom_score_adj = true
  disable_apparmor = true
  # Copies, which work on any file system: that of a container cannot hold layers of its own.
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{network}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
""")
        self.launch("containerd", "containerd", "--config", config)
        eventually(lambda: self.ctr("version"), "containerd answers")

    def _start_control_plane(self):
        etcd = ("http://127.0.0.1:2379", "http://127.0.0.1:2380")
        self.launch("etcd", self.programs / "server", "--data-dir", self.folder / "etcd", "--unsafe-no-fsync",
                    "--listen-client-urls", etcd[0], "--advertise-client-urls", etcd[0], "--listen-peer-urls", etcd[1],
                    "--initial-advertise-peer-urls", etcd[1], "--initial-cluster", f"default={etcd[1]}")
        self.launch("apiserver", self.programs / "kube-apiserver", "--etcd-servers", etcd[0],
                    "--advertise-address", NODE, "--bind-address", "0.0.0.0", "--secure-port", "6443",
                    "--service-cluster-ip-range", SERVICES, "--authorization-mode", "Node,RBAC",
                    "--enable-admission-plugins", "NodeRestriction",
                    "--kubelet-preferred-address-types", "InternalIP", "--client-ca-file", "ca.crt",
                    "--tls-cert-file", "server.crt", "--tls-private-key-file", "server.key",
                    "--kubelet-client-certificate", "admin.crt", "--kubelet-client-key", "admin.key",
                    "--service-account-issuer", "https://kubernetes.default.svc",
                    "--service-account-key-file", "accounts.key", "--service-account-signing-key-file", "accounts.key")
        eventually(lambda: self.kubectl("get", "--raw", "/readyz") == "ok", "the API server is ready")
        self.launch("controllers", self.programs / "kube-controller-manager", "--kubeconfig", "controllers.kubeconfig",
                    "--use-service-account-credentials", "--service-account-private-key-file", "accounts.key",
                    "--root-ca-file", "ca.crt", "--leader-elect=false")
        self.launch("scheduler", self.programs / "kube-scheduler", "--kubeconfig", "scheduler.kubeconfig",
                    "--leader-elect=false")

    def _start_node(self):
        # The kubelet sets these for the whole machine; here it sets files that only it sees.
        for name in ("vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops"):
            setting = pathlib.Path("/proc/sys", name)
            own = self.folder / name.replace("/", ".")
            own.write_text(setting.read_text())
            run("mount", "--bind", own, setting)
        self._control_groups()
        config = self.folder / "kubelet.json"
        config.write_text(json.dumps({
            "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
            "containerRuntimeEndpoint": f"unix://{self.containerd_socket}",
            "authentication": {"x509": {"clientCAFile": str(self.folder / "ca.crt")}},
            "cgroupDriver": "cgroupfs", "cgroupRoot": f"/{CGROUP}", "failCgroupV1": False,
            "failSwapOn": False, "localStorageCapacityIsolation": False,
            # No DNS is there: what pods talk to has a fixed address.
            "resolvConf": "", "podCIDR": PODS,
            # How soon a changed Secret is seen in a pod; the default is a minute.
            "syncFrequency": "5s",
            "evictionHard": {"memory.available": "1Mi"}, "imageGCHighThresholdPercent": 100,
        }))
        self.launch("kubelet", self.programs / "kubelet", "--config", config, "--kubeconfig", "kubelet.kubeconfig",
                    "--hostname-override", NODE_NAME, "--node-ip", NODE, "--root-dir", self.folder / "kubelet",
                    "--cert-dir", self.folder / "kubelet-certificates")
        proxy = self.folder / "proxy.json"
        proxy.write_text(json.dumps({
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration",
            "clientConnection": {"kubeconfig": "proxy.kubeconfig"}, "hostnameOverride": NODE_NAME, "clusterCIDR": PODS,
            "mode": "iptables", "conntrack": {"maxPerCore": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        }))
        self.launch("proxy", self.programs / "kube-proxy", "--config", proxy)
        self.kubectl("create", "clusterrolebinding", "proxy", "--clusterrole", "system:node-proxier",
                     "--user", "system:kube-proxy")

        def ready():
            self.alive()
            conditions = self.get("node", NODE_NAME)["status"]["conditions"]
            return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)

        eventually(ready, "the node is ready")

    def _control_groups(self):
        """A group for all pods, in whichever of the two hierarchies there is."""
        root = pathlib.Path("/sys/fs/cgroup")
        if not (root / "cgroup.controllers").exists():
            for controller in root.iterdir():
                if controller.is_dir() and not controller.is_symlink():
                    (controller / CGROUP).mkdir(exist_ok=True)
            for setting in ("cpuset.cpus", "cpuset.mems"):
                (root / "cpuset" / CGROUP / setting).write_text((root / "cpuset" / setting).read_text())
            return
        (root / CGROUP).mkdir(exist_ok=True)
        controllers = " ".join(f"+{name}" for name in (root / "cgroup.controllers").read_text().split())
        try:
            (root / "cgroup.subtree_control").write_text(controllers)
        except OSError:
            # In a container: a group that has controllers for others has no processes itself.
            (root / "outside").mkdir(exist_ok=True)
            for process in (root / "cgroup.procs").read_text().split():
                (root / "outside" / "cgroup.procs").write_text(process)
            (root / "cgroup.subtree_control").write_text(controllers)

    def take_notes(self, namespace):
        """For whoever has to find out why a test failed: what the pods of a namespace are, and what they said."""
        notes = []
        for what in (["get", "pods", "--output", "wide"], ["get", "events"],
                     ["logs", "--selector", "!none", "--all-containers", "--prefix", "--tail", "-1", "--max-log-requests", "20"]):
            with contextlib.suppress(Failed):
                notes.append(self.kubectl(*what, "--namespace", namespace))
        (self.folder / f"{namespace}.log").write_text("\n".join(notes))

    # --- what tests do with it

    def ctr(self, *arguments):
        return run("ctr", "--address", self.containerd_socket, "--namespace", "k8s.io", *arguments)

    def kubectl(self, *arguments, **options):
        return run(self.programs / "kubectl", "--kubeconfig", self.kubeconfig, *arguments, **options)

    def apply(self, objects, namespace=None):
        where = ["--namespace", namespace] if namespace else []
        if not isinstance(objects, str):
            objects = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        return self.kubectl("apply", "--server-side", *where, "--filename", "-", input=objects)

    def get(self, kind, name=None, namespace=None, selector=None):
        where = ["--namespace", namespace] if namespace else ["--all-namespaces"] if not name else []
        which = [name] if name else []
        which += ["--selector", selector] if selector else []
        return json.loads(self.kubectl("get", kind, *which, *where, "--output", "json"))

    def namespace(self, prefix):
        """A new namespace that enforces the Pod Security Standard *restricted*."""
        name = f"{prefix}-{secrets.token_hex(2)}"
        self.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {
            "pod-security.kubernetes.io/enforce": "restricted"}}}])
        eventually(lambda: self.get("serviceaccount", "default", name), "the namespace has its account")
        return name

    def helm(self, *arguments):
        return run(self.programs / "helm", "--kubeconfig", self.kubeconfig, *arguments)


PAUSE = "registry.test/cluster-pods:1"


def fetch(address, method="GET"):
    """The text at an address of the cluster."""
    request = urllib.request.Request(address, method=method, data=b"" if method == "POST" else None)
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.read().decode()
    except urllib.error.HTTPError as error:
        raise Failed(f"{address}: {error.code}") from error
