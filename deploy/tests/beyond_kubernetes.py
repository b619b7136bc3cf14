"""The schemas of objects that are neither Kubernetes' own nor the Prometheus operator's.

No package has them, so they are written from the references, as far as the chart goes. What is not here is refused.
"""

_STRING, _INTEGER, _BOOLEAN = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
_DURATION = {"type": "string", "pattern": "^([0-9]+(ms|[smhdwy]))+$"}


def _object(required=(), **properties):
    return {"type": "object", "required": [*required], "properties": properties, "additionalProperties": False}


def _array(items):
    return {"type": "array", "items": items, "minItems": 1}


def _one_of(*values):
    return {"enum": [*values]}


def _map(values):
    return {"type": "object", "additionalProperties": values}


def _whole(spec):
    metadata = _object(["name"], name=_STRING, namespace=_STRING, labels=_map(_STRING), annotations=_map(_STRING))
    return _object(["apiVersion", "kind", "metadata", "spec"], apiVersion=_STRING, kind=_STRING, metadata=metadata, spec=spec)


_SECRET = _object(secret=_object(["name", "key"], name=_STRING, key=_STRING, namespace=_STRING))
_SELECTOR = _object(matchLabels=_map(_STRING))

SCHEMAS = {
    # https://github.com/GoogleCloudPlatform/prometheus-engine/blob/main/doc/api.md#podmonitoring
    ("monitoring.googleapis.com/v1", "PodMonitoring"): _whole(_object(
        ["selector", "endpoints"],
        selector=_SELECTOR,
        endpoints=_array(_object(
            ["port", "interval"],
            port={"type": ["string", "integer"]}, path=_STRING, scheme=_one_of("http", "https"),
            interval=_DURATION, timeout=_DURATION,
            tls=_object(insecureSkipVerify=_BOOLEAN, serverName=_STRING, ca=_SECRET, cert=_SECRET, key=_SECRET),
            basicAuth=_object(username=_STRING, password=_SECRET),
            # `replace` onto labels that Google protects, and labelmap, are refused there.
            metricRelabeling=_array(_object(
                sourceLabels=_array(_STRING), separator=_STRING, regex=_STRING, modulus=_INTEGER, replacement=_STRING,
                targetLabel={"type": "string", "not": _one_of("project_id", "location", "cluster", "namespace", "job", "instance")},
                action=_one_of("replace", "lowercase", "uppercase", "keep", "drop", "keepequal", "dropequal", "hashmod",
                               "labeldrop", "labelkeep"),
            )),
        )),
        targetLabels=_object(metadata=_array(_STRING), fromPod=_array(_object(["from"], **{"from": _STRING, "to": _STRING}))),
        limits=_object(samples=_INTEGER, labels=_INTEGER, labelNameLength=_INTEGER, labelValueLength=_INTEGER),
    )),
    # https://github.com/kubernetes/autoscaler/blob/master/vertical-pod-autoscaler/docs/api.md
    ("autoscaling.k8s.io/v1", "VerticalPodAutoscaler"): _whole(_object(
        ["targetRef"],
        targetRef=_object(["apiVersion", "kind", "name"], apiVersion=_STRING, kind=_STRING, name=_STRING),
        recommenders=_array(_object(["name"], name=_STRING)),
        updatePolicy=_object(
            updateMode=_one_of("Off", "Initial", "Recreate", "InPlaceOrRecreate", "InPlace", "Auto"), minReplicas=_INTEGER,
        ),
        resourcePolicy=_object(containerPolicies=_array(_object(
            ["containerName"],
            containerName=_STRING, mode=_one_of("Auto", "Off"),
            controlledResources=_array(_one_of("cpu", "memory")), controlledValues=_one_of("RequestsAndLimits", "RequestsOnly"),
            minAllowed=_map({"type": ["string", "integer"]}), maxAllowed=_map({"type": ["string", "integer"]}),
        ))),
    )),
}
