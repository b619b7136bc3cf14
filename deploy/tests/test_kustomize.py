"""The kustomize bases, as the real kubectl renders them."""

import os
import re
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest

from kubernetes_tools import KUBERNETES_VERSIONS, run
from manifests import assert_restricted, assert_valid, containers_of, flags_of, load, pod_template_of

ROOT = Path(__file__).parents[2]
BASES = ROOT / "deploy" / "kustomize"
EVERY_DIRECTORY = sorted(path.parent.relative_to(BASES) for path in BASES.rglob("kustomization.yaml"))
SIDECARS = ["sidecar-native", "sidecar-classic"]
WITH_EXPORTER = [*SIDECARS, "standalone"]
NAME = "cotalker-webhook-exporter"
WORKLOADS = ("Deployment", "StatefulSet")

render = pytest.mark.parametrize("version", KUBERNETES_VERSIONS)


@cache
def text(directory, version):
    return run(version, "kubectl", "kustomize", directory)


def rendered(directory, version=KUBERNETES_VERSIONS[-1]):
    return load(text(directory, version))


def of_kind(objects, *kinds):
    return [obj for obj in objects if obj["kind"] in kinds]


def pod_of(objects):
    (workload,) = of_kind(objects, *WORKLOADS)
    return pod_template_of(workload)


def exporter_in(pod_spec):
    (container,) = [container for container in containers_of(pod_spec) if container["name"] == NAME]
    return container


def exporter_of(base):
    return exporter_in(pod_of(rendered(BASES / base))["spec"])


def volumes_of(base):
    spec = pod_of(rendered(BASES / base))["spec"]
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    return {mount["mountPath"]: (mount, volumes[mount["name"]]) for mount in exporter_in(spec)["volumeMounts"]}


@render
@pytest.mark.parametrize("directory", EVERY_DIRECTORY, ids=str)
def test_every_base_and_component_renders_into_valid_objects(directory, version):
    objects = rendered(BASES / directory, version)
    assert objects or directory.parts[0] == "components"
    for obj in objects:
        assert_valid(obj)


@pytest.mark.parametrize("directory", EVERY_DIRECTORY, ids=str)
def test_old_and_new_kustomize_agree(directory):
    oldest, *others = [rendered(BASES / directory, version) for version in KUBERNETES_VERSIONS]
    assert all(other == oldest for other in others)


@pytest.mark.parametrize("base", ["receiver", *WITH_EXPORTER])
def test_pods_are_restricted_and_write_to_volumes_only(base):
    template = pod_of(rendered(BASES / base))
    assert_restricted(template["spec"], template["metadata"].get("annotations"))
    assert template["spec"]["automountServiceAccountToken"] is False
    assert template["spec"]["enableServiceLinks"] is False
    for container in containers_of(template["spec"]):
        assert container["securityContext"]["readOnlyRootFilesystem"] is True


@pytest.mark.parametrize("base", SIDECARS)
def test_the_sidecar_is_restricted_in_a_pod_that_says_nothing(base):
    spec = {"containers": [exporter_of(base)]}
    assert_restricted(spec)
    assert spec["containers"][0]["securityContext"]["runAsUser"] == 65532


def test_no_secret_is_rendered():
    for directory in EVERY_DIRECTORY:
        assert not of_kind(rendered(BASES / directory), "Secret")


def test_the_native_sidecar_is_the_first_init_container():
    spec = pod_of(rendered(BASES / "sidecar-native"))["spec"]
    assert spec["initContainers"][0]["name"] == NAME
    assert spec["initContainers"][0]["restartPolicy"] == "Always"


def test_the_classic_sidecar_comes_after_the_receiver():
    spec = pod_of(rendered(BASES / "sidecar-classic"))["spec"]
    assert [container["name"] for container in spec["containers"]] == ["receiver", NAME]
    assert "initContainers" not in spec


def test_the_classic_sidecar_fits_kubernetes_that_knows_no_native_ones():
    # The oldest with schemas here.
    for obj in rendered(BASES / "sidecar-classic"):
        assert_valid(obj, ["1.25"])


def test_the_sidecars_differ_only_in_what_makes_one_native():
    native, classic = (rendered(BASES / base) for base in SIDECARS)
    container = exporter_in(pod_of(native)["spec"])
    assert container.pop("restartPolicy") == "Always"
    assert container == exporter_in(pod_of(classic)["spec"])
    pod_of(native)["spec"].pop("initContainers")
    pod_of(classic)["spec"]["containers"].pop()
    assert native == classic


def test_the_standalone_exporter_is_the_same_but_for_what_a_pod_of_its_own_allows():
    alone, sidecar = exporter_of("standalone"), exporter_of("sidecar-classic")
    for container in (alone, sidecar):
        # Ready is its own affair; it may have more memory; the pod says who it runs as.
        for key in ("readinessProbe", "resources", "securityContext"):
            container.pop(key, None)
    assert alone == sidecar


@pytest.mark.parametrize("base", WITH_EXPORTER)
def test_ports_are_referred_to_by_number(base):
    objects = rendered(BASES / base)
    container = exporter_in(pod_of(objects)["spec"])
    declared = {port["containerPort"] for port in container["ports"]}
    probes = [container[probe] for probe in ("livenessProbe", "readinessProbe") if probe in container]
    monitor, = of_kind(objects, "PodMonitor")
    used = [probe["httpGet"]["port"] for probe in probes]
    used += [endpoint["portNumber"] for endpoint in monitor["spec"]["podMetricsEndpoints"]]
    assert set(used) == declared == {10942}
    for service in of_kind(objects, "Service"):
        assert all(isinstance(port["targetPort"], int) for port in service["spec"]["ports"])


@pytest.mark.parametrize("base", WITH_EXPORTER)
def test_liveness_is_the_process_alone_and_patient(base):
    probe = exporter_of(base)["livenessProbe"]
    assert probe["httpGet"]["path"] == "/-/healthy"
    assert probe["periodSeconds"] * probe["failureThreshold"] >= 120


@pytest.mark.parametrize("base", SIDECARS)
def test_a_sidecar_neither_delays_its_receiver_nor_takes_it_out_of_service(base):
    container = exporter_of(base)
    assert not {"readinessProbe", "startupProbe", "lifecycle"} & set(container)


@pytest.mark.parametrize("base", WITH_EXPORTER)
def test_the_token_is_a_directory_that_follows_its_secret(base):
    mount, volume = volumes_of(base)["/var/run/secrets/cotalker"]
    assert "subPath" not in mount and "subPathExpr" not in mount
    assert mount["readOnly"] is True
    assert volume["secret"] == {"secretName": "cotalker", "items": [{"key": "token", "path": "token"}]}
    container = exporter_of(base)
    assert not container.get("envFrom")
    assert all("valueFrom" not in variable for variable in container["env"])


def test_state_of_a_sidecar_is_bounded_and_that_of_the_standalone_one_lasts():
    path = "/var/lib/cotalker-webhook-exporter"
    for base in SIDECARS:
        _, volume = volumes_of(base)[path]
        assert volume["emptyDir"] == {"sizeLimit": "1Gi"}
    _, volume = volumes_of("standalone")[path]
    claim, = of_kind(rendered(BASES / "standalone"), "PersistentVolumeClaim")
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    (deployment,) = of_kind(rendered(BASES / "standalone"), "Deployment")
    assert (deployment["spec"]["replicas"], deployment["spec"]["strategy"]) == (1, {"type": "Recreate"})
    # Without it the volume is root's.
    security = deployment["spec"]["template"]["spec"]["securityContext"]
    assert security["fsGroup"] == security["runAsGroup"] == 65532


@pytest.mark.parametrize("base", WITH_EXPORTER)
def test_the_pod_monitor_finds_the_pods(base):
    objects = rendered(BASES / base)
    monitor, = of_kind(objects, "PodMonitor")
    assert selects(monitor, pod_of(objects))
    assert all(endpoint["honorLabels"] is True for endpoint in monitor["spec"]["podMetricsEndpoints"])


def selects(obj, template):
    """Whether a Service, a workload or a PodMonitor takes the pods of the template for its own."""
    selector = obj["spec"]["selector"]
    return selector.get("matchLabels", selector).items() <= template["metadata"]["labels"].items()


def test_the_standalone_exporter_and_a_sidecar_leave_each_other_alone():
    for one, other in (("standalone", "sidecar-native"), ("sidecar-native", "standalone")):
        (monitor,) = of_kind(rendered(BASES / one), "PodMonitor")
        (others,) = of_kind(rendered(BASES / other), "PodMonitor")
        assert monitor["metadata"]["name"] != others["metadata"]["name"]
        assert not selects(monitor, pod_of(rendered(BASES / other)))


@render
@pytest.mark.parametrize("base", WITH_EXPORTER)
def test_two_of_a_kind_select_their_own_pods_as_the_readme_says(base, version, tmp_path):
    readme = (BASES / "README.md").read_text()
    (text,) = re.findall(r"```yaml\n(resources:\n  - https.*?)```", readme, re.DOTALL)
    sets = {}
    for name in ("first", "second"):
        own = re.sub(r"https://.*", os.path.relpath(BASES / base, tmp_path / name), text).replace("second", name)
        if base in SIDECARS:
            own = own.replace("includeSelectors", "includeTemplates")
        (tmp_path / name).mkdir()
        (tmp_path / name / "kustomization.yaml").write_text(own)
        sets[name] = rendered(tmp_path / name, version)
        for obj in sets[name]:
            assert_valid(obj)
    kinds = ["PodMonitor"] if base in SIDECARS else ["PodMonitor", "Service", "Deployment"]
    for name, objects in sets.items():
        selecting = of_kind(objects, *kinds)
        assert len(selecting) == len(kinds)
        for obj in selecting:
            assert {other for other, theirs in sets.items() if selects(obj, pod_of(theirs))} == {name}


OPENSHIFT = """
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources: [{bases}/{base}]
components: [{bases}/components/openshift]
"""


def on_openshift(directory, base, version):
    text = OPENSHIFT.format(bases=os.path.relpath(BASES, directory), base=base)
    (directory / "kustomization.yaml").write_text(text)
    return pod_of(rendered(directory, version))["spec"]


@render
@pytest.mark.parametrize("base", ["standalone", "sidecar-native"])
def test_openshift_may_choose_user_and_group(base, version, tmp_path):
    spec, usual = on_openshift(tmp_path, base, version), pod_of(rendered(BASES / base))["spec"]
    removed = [part.pop(key) for part in (usual.get("securityContext"), exporter_in(usual)["securityContext"])
               for key in ("runAsUser", "runAsGroup", "fsGroup") if key in part]
    assert set(removed) == {65532}
    assert spec == usual
    assert_restricted(spec)


@render
def test_openshift_with_a_classic_sidecar_is_refused_and_not_half_done(version, tmp_path):
    with pytest.raises(RuntimeError, match="initContainers"):
        on_openshift(tmp_path, "sidecar-classic", version)


@pytest.mark.parametrize(("base", "name"), [("receiver", "receiver"), ("standalone", NAME)])
def test_the_service_finds_the_pods(base, name):
    objects = rendered(BASES / base)
    service, = of_kind(objects, "Service")
    assert service["metadata"]["name"] == name
    assert service["spec"]["selector"].items() <= pod_of(objects)["metadata"]["labels"].items()


@pytest.mark.parametrize("base", WITH_EXPORTER)
def test_the_image_is_this_version(base):
    cargo = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]
    assert exporter_of(base)["image"] == f"ghcr.io/{NAME}/{NAME}:{cargo['version']}"


@render
@pytest.mark.parametrize("base", WITH_EXPORTER)
def test_the_readme_says_how_to_run_an_image_of_ones_own(base, version, tmp_path):
    readme = (BASES / "README.md").read_text()
    (images,) = re.findall(r"`(images: \[.*\])`", readme)
    (tmp_path / "kustomization.yaml").write_text(f"resources: [{os.path.relpath(BASES / base, tmp_path)}]\n{images}\n")
    spec = pod_of(rendered(tmp_path, version))["spec"]
    assert f"-t {exporter_in(spec)['image']} . && docker push {exporter_in(spec)['image']}\n" in readme


def started_with(container, subcommand=()):
    """How the real program ends with the container's settings; `healthcheck` reads them all before it asks anyone."""
    environment = {variable["name"]: variable["value"] for variable in container.get("env", [])}
    return subprocess.run(
        [os.environ["EXPORTER_UNDER_TEST"], *flags_of(container), *subcommand],
        env=environment, capture_output=True, text=True, check=False, timeout=60,
    )


@pytest.mark.parametrize("base", WITH_EXPORTER)
def test_the_program_takes_the_settings(base, tmp_path):
    container = exporter_of(base)
    # A port that nobody listens at, so that an exporter on this machine cannot answer.
    container["env"].append({"name": "EXPORTER_WEB_LISTEN_ADDRESS", "value": "127.0.0.1:1"})
    ended = started_with(container, ["healthcheck"])
    assert (ended.returncode, "no healthy exporter" in ended.stderr) == (1, True), ended.stderr
    # The daemon itself ends only over the token, which is not mounted here: it read the variables that are meant for it.
    ended = started_with(container)
    assert (ended.returncode, "/var/run/secrets/cotalker/token" in ended.stderr) == (2, True), ended.stderr


@pytest.mark.parametrize("base", WITH_EXPORTER)
def test_the_program_knows_every_variable(base):
    # It leaves alone what it does not know, so a misspelt one would do nothing.
    known = subprocess.run([os.environ["EXPORTER_UNDER_TEST"], "--help"], capture_output=True, text=True, check=True)
    known = " ".join(known.stdout.split())
    for variable in exporter_of(base)["env"]:
        assert f"[env: {variable['name']}" in known


def test_the_program_refuses_a_wrong_setting():
    container = exporter_of("standalone")
    container["env"].append({"name": "EXPORTER_POLL_INTERVAL", "value": "often"})
    assert started_with(container, ["healthcheck"]).returncode == 2


RECEIVERS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: orders, labels: {cotalker-webhook-exporter: sidecar}}
spec:
  selector: {matchLabels: {app: orders}}
  template:
    metadata: {labels: {app: orders}}
    spec:
      initContainers: [{name: migrate, image: example.com/orders:1}]
      containers: [{name: orders, image: example.com/orders:1}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: ledger, labels: {cotalker-webhook-exporter: sidecar}}
spec:
  serviceName: ledger
  selector: {matchLabels: {app: ledger}}
  template:
    metadata: {labels: {app: ledger}}
    spec:
      containers: [{name: ledger, image: example.com/ledger:1, volumeMounts: [{name: data, mountPath: /data}]}]
      volumes: [{name: data, emptyDir: {}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: unrelated}
spec:
  selector: {matchLabels: {app: unrelated}}
  template:
    metadata: {labels: {app: unrelated}}
    spec:
      containers: [{name: unrelated, image: example.com/unrelated:1}]
"""
OVERLAY = """
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namePrefix: shop-
resources: [receivers.yaml]
components: [{components}/{sidecar}, {components}/pod-monitor]
images:
  - {{name: ghcr.io/cotalker-webhook-exporter/cotalker-webhook-exporter, newName: registry.example.com/exporter, newTag: "2"}}
secretGenerator: [{{name: cotalker, literals: [token=not-a-token]}}]
"""
# As in the README.
SETTING = """
patches:
  - target:
      labelSelector: cotalker-webhook-exporter=sidecar
    patch: |-
      apiVersion: apps/v1
      kind: Deployment
      metadata:
        name: receiver
      spec:
        template:
          spec:
            initContainers:
              - name: cotalker-webhook-exporter
                env:
                  - name: EXPORTER_WEBHOOK_INCLUDE
                    value: orders-.*
"""


def overlay(directory, sidecar, version, more=""):
    (directory / "receivers.yaml").write_text(RECEIVERS)
    components = os.path.relpath(BASES / "components", directory)
    (directory / "kustomization.yaml").write_text(OVERLAY.format(components=components, sidecar=sidecar) + more)
    objects = rendered(directory, version)
    for obj in objects:
        assert_valid(obj)
    return {obj["metadata"]["name"]: obj for obj in objects}


@render
@pytest.mark.parametrize("sidecar", SIDECARS)
def test_a_users_own_receivers_get_the_sidecar_and_keep_what_they_have(tmp_path, sidecar, version):
    objects = overlay(tmp_path, sidecar, version)
    for name, own in (("shop-orders", ["migrate", "orders"]), ("shop-ledger", ["ledger"])):
        template = pod_template_of(objects[name])
        names = [container["name"] for container in containers_of(template["spec"])]
        assert names == ([NAME, *own] if sidecar == "sidecar-native" else [*own, NAME])
        assert template["metadata"]["labels"] == {"app": own[-1], NAME: "sidecar"}
        assert exporter_in(template["spec"])["image"] == "registry.example.com/exporter:2"
        (token,) = [volume["secret"] for volume in template["spec"]["volumes"] if "secret" in volume]
        assert objects[token["secretName"]]["kind"] == "Secret", "the name follows that of a generated one"
    ledger = pod_template_of(objects["shop-ledger"])["spec"]
    assert "data" in [volume["name"] for volume in ledger["volumes"]]
    unrelated = pod_template_of(objects["shop-unrelated"])
    assert [container["name"] for container in containers_of(unrelated["spec"])] == ["unrelated"]
    assert unrelated["metadata"]["labels"] == {"app": "unrelated"}


@render
def test_the_setting_of_the_readme_is_merged_with_the_others(tmp_path, version):
    readme = (BASES / "README.md").read_text()
    assert "\n".join("   " + line for line in SETTING.strip().splitlines()) in readme
    spec = pod_template_of(overlay(tmp_path, "sidecar-native", version, SETTING)["shop-orders"])["spec"]
    assert [container["name"] for container in containers_of(spec)] == [NAME, "migrate", "orders"]
    assert {variable["name"] for variable in exporter_in(spec)["env"]} == {
        "COTALKER_TOKEN_FILE", "EXPORTER_STATE_PATH", "EXPORTER_WEBHOOK_INCLUDE",
    }
