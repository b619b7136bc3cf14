"""The Pod Security Standard *restricted*: every control of its table and of *baseline*, which it includes.

https://kubernetes.io/docs/concepts/security/pod-security-standards/
Where versions of Kubernetes differ, what all from 1.29 on allow.
"""

# Safe since 1.29 at the latest.
SYSCTLS = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_syncookies",
}
SELINUX_TYPES = {"", "container_t", "container_init_t", "container_kvm_t"}
VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret",
}
APPARMOR_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/"


def assert_restricted(pod_spec: dict, annotations: dict | None = None) -> None:
    """Fails with one line for each violation; `annotations` are those of the pod."""
    found = [*_pod(pod_spec, annotations or {})]
    for container in containers_of(pod_spec):
        found += (f"container {container.get('name')}: {text}" for text in _container(container, pod_spec))
    assert not found, "not restricted:\n" + "\n".join(found)


def containers_of(pod_spec: dict) -> list[dict]:
    """All of them: init containers (native sidecars among them), ephemeral and ordinary ones."""
    return [c for key in ("initContainers", "containers", "ephemeralContainers") for c in pod_spec.get(key) or []]


def _pod(spec, annotations):
    security = spec.get("securityContext") or {}
    for namespace in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(namespace):
            yield f"{namespace} is set"
    if security.get("runAsNonRoot") is False:
        yield "runAsNonRoot is false"
    for volume in spec.get("volumes") or []:
        # A volume without a source is an emptyDir.
        kinds = set(volume) - {"name"}
        if not kinds <= VOLUMES:
            yield f"volume {volume['name']} is of kind {', '.join(sorted(kinds - VOLUMES))}"
    for sysctl in security.get("sysctls") or []:
        if sysctl["name"] not in SYSCTLS:
            yield f"sysctl {sysctl['name']} is not a safe one"
    for name, profile in annotations.items():
        if name.startswith(APPARMOR_ANNOTATION) and not (profile == "runtime/default" or profile.startswith("localhost/")):
            yield f"AppArmor profile {profile}"
    yield from _either(security)


def _container(container, spec):
    pod = spec.get("securityContext") or {}
    security = container.get("securityContext") or {}
    capabilities = security.get("capabilities") or {}
    if security.get("privileged"):
        yield "privileged"
    if security.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation is not false"
    if "ALL" not in (capabilities.get("drop") or []):
        yield "capabilities.drop lacks ALL"
    if more := set(capabilities.get("add") or []) - {"NET_BIND_SERVICE"}:
        yield f"capabilities.add has {', '.join(sorted(more))}"
    if security.get("procMount") not in (None, "Default"):
        yield f"procMount is {security['procMount']}"
    if security.get("runAsNonRoot", pod.get("runAsNonRoot")) is not True:
        yield "runAsNonRoot is not true"
    if not (security.get("seccompProfile") or pod.get("seccompProfile")):
        yield "there is no seccompProfile"
    for port in container.get("ports") or []:
        if port.get("hostPort"):
            yield f"hostPort {port['hostPort']}"
    lifecycle = container.get("lifecycle") or {}
    for name, handler in {
        **{probe: container.get(probe) for probe in ("livenessProbe", "readinessProbe", "startupProbe")},
        **{hook: lifecycle.get(hook) for hook in ("postStart", "preStop")},
    }.items():
        for kind in ("httpGet", "tcpSocket"):
            if host := ((handler or {}).get(kind) or {}).get("host"):
                yield f"{name} asks host {host}"
    yield from _either(security)


def _either(security):
    """What a pod's and a container's security context have in common."""
    if security.get("runAsUser") == 0:
        yield "runAsUser is 0"
    if (security.get("windowsOptions") or {}).get("hostProcess"):
        yield "windowsOptions.hostProcess is set"
    for profile, allowed in (
        ("seccompProfile", {"RuntimeDefault", "Localhost"}), ("appArmorProfile", {"RuntimeDefault", "Localhost"}),
    ):
        if profile in security and (kind := security[profile].get("type")) not in allowed:
            yield f"{profile} is {kind}"
    selinux = security.get("seLinuxOptions") or {}
    if (kind := selinux.get("type", "")) not in SELINUX_TYPES:
        yield f"seLinuxOptions.type is {kind}"
    for part in ("user", "role"):
        if selinux.get(part):
            yield f"seLinuxOptions.{part} is {selinux[part]}"
