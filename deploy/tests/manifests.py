"""What every manifest that this project gives out must hold, however it was rendered."""

import re
from functools import cache

import jsonschema
import kubernetes_validate
import yaml
from cloudcoil.models.prometheus_operator import v1, v1alpha1

import beyond_kubernetes
from kubernetes_tools import KUBERNETES_VERSIONS
from pod_security import assert_restricted, containers_of

__all__ = ["load", "assert_valid", "assert_restricted", "pod_template_of", "containers_of", "flags_of"]


def load(text: str) -> list[dict]:
    """The objects of a YAML stream, without empty documents; a key that stands twice is refused."""
    return [obj for obj in yaml.load_all(text, Loader=_Loader) if obj]


def assert_valid(obj: dict, versions: list[str] = KUBERNETES_VERSIONS) -> None:
    """Fails unless the API server takes the object: its schema, with no unknown field, and what schemas cannot say."""
    what = f"{obj.get('kind')} {(obj.get('metadata') or {}).get('name')}"
    try:
        if (schema := beyond_kubernetes.SCHEMAS.get((obj["apiVersion"], obj["kind"]))) is not None:
            jsonschema.validate(obj, schema)
        elif obj["apiVersion"].startswith("grafana.integreatly.org/"):
            assert obj["kind"] in GRAFANA_KINDS, "no such kind"
        elif obj["apiVersion"].startswith("monitoring.coreos.com/"):
            jsonschema.validate(obj, _operator_schema(obj["apiVersion"], obj["kind"]))
        else:
            for version in versions:
                kubernetes_validate.validate(obj, version, strict=True)
    except jsonschema.ValidationError as error:
        raise AssertionError(f"{what}: {error.json_path}: {error.message}") from None
    except kubernetes_validate.SchemaNotFoundError as error:
        raise AssertionError(f"{what}: {error.message}") from None
    found = [*_beyond_schemas(obj)]
    assert not found, f"{what}: " + "; ".join(found)


def pod_template_of(obj: dict) -> dict:
    """The pod of a Pod, or of a workload's template."""
    return obj if obj["kind"] == "Pod" else obj["spec"]["template"]


def flags_of(container: dict) -> list[str]:
    """The command line that the container gives the exporter, its subcommand included."""
    return [*container.get("command", [])[1:], *container.get("args", [])]


# Their specs are held against the CustomResourceDefinitions where they are written: deploy/grafana/tests/exported.ts. That
# the chart renders the same is a test of the chart.
GRAFANA_KINDS = {"GrafanaFolder", "GrafanaDashboard", "GrafanaAlertRuleGroup", "GrafanaContactPoint", "GrafanaMuteTiming",
                 "GrafanaNotificationTemplate", "GrafanaNotificationPolicy", "GrafanaNotificationPolicyRoute"}


# The one in C, many times as fast: most of a run would be spent in the other.
class _Loader(yaml.CSafeLoader):
    def construct_mapping(self, node, deep=False):
        # "<<" is no key, it stands for those of an anchor.
        keys = [self.construct_object(key, deep=True) for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        if twice := {key for key in keys if keys.count(key) > 1}:
            raise AssertionError(f"line {node.start_mark.line + 1}: {', '.join(map(str, twice))} stands twice")
        return super().construct_mapping(node, deep)


# "=" is a string to Kubernetes, and to YAML 1.1 a value that PyYAML has nothing for.
_Loader.add_constructor("tag:yaml.org,2002:value", yaml.SafeLoader.construct_scalar)


@cache
def _operator_schema(api_version: str, kind: str) -> dict:
    """The schema of the operator's own CustomResourceDefinition (0.80.1), with unknown fields and nulls refused."""
    versions = {"monitoring.coreos.com/v1": v1, "monitoring.coreos.com/v1alpha1": v1alpha1}
    assert api_version in versions, f"{kind}: no schema for {api_version}"
    return _closed(getattr(versions[api_version], kind).model_json_schema(by_alias=True))


def _closed(schema):
    if isinstance(schema, list):
        return [_closed(part) for part in schema if part != {"type": "null"}]
    if not isinstance(schema, dict):
        return schema
    schema = {key: _closed(value) for key, value in schema.items()}
    if isinstance(schema.get("pattern"), str):
        # Go takes a flag anywhere in an expression, Python at its start only.
        schema["pattern"] = ("(?i)" if "(?i)" in schema["pattern"] else "") + schema["pattern"].replace("(?i)", "")
    # A property may be named "properties"; a schema's own are beside its type.
    if schema.get("type") == "object" and "properties" in schema:
        schema.setdefault("additionalProperties", False)
    return schema


# https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ and …/labels/
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_LABEL = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")


def _beyond_schemas(obj):
    """What the API server refuses, or what never works, though every field is of the right type."""
    metadata = obj.get("metadata") or {}
    if not _NAME.fullmatch(metadata.get("name", "")):
        yield f"metadata.name is {metadata.get('name')!r}"
    yield from _labels(metadata)
    if obj["kind"] not in ("Pod", "Deployment", "StatefulSet", "DaemonSet", "Job"):
        return
    template = pod_template_of(obj)
    yield from _labels(template.get("metadata") or {})
    if "selector" in obj["spec"]:
        labels = (template.get("metadata") or {}).get("labels") or {}
        for key, value in obj["spec"]["selector"]["matchLabels"].items():
            if labels.get(key) != value:
                yield f"the selector wants {key}={value}, and the pods have {labels.get(key)}"
    spec = template["spec"]
    volumes = [volume["name"] for volume in spec.get("volumes") or []]
    # The controller adds them to the pods.
    volumes += (claim["metadata"]["name"] for claim in obj["spec"].get("volumeClaimTemplates") or [])
    if len(set(volumes)) < len(volumes):
        yield f"two volumes have one name: {volumes}"
    names = [container["name"] for container in containers_of(spec)]
    if len(set(names)) < len(names):
        yield f"two containers have one name: {names}"
    for container in containers_of(spec):
        for mount in container.get("volumeMounts") or []:
            if mount["name"] not in volumes:
                yield f"{container['name']} mounts {mount['name']}, which is no volume"


def _labels(metadata):
    for key, value in (metadata.get("labels") or {}).items():
        if not _LABEL.fullmatch(value):
            yield f"label {key} is {value!r}"
