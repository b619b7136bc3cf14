"""Real scrapers, configured as docs/scrapers.md says, read the demo."""

import json
import os
import re
import socket
import subprocess
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from datadog_checks.base import OpenMetricsBaseCheckV2
from datadog_checks.base.stubs import aggregator
from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).parents[2]
EXPORTER = os.environ["EXPORTER_UNDER_TEST"]
VICTORIA = Path(os.environ["VICTORIA_METRICS"])
COLLECTOR = os.environ.get("COLLECTOR")
# Long, for machines with much else to do. Nothing takes so long otherwise.
PATIENCE = 120


def block(section, language="yaml"):
    text = (ROOT / "docs/scrapers.md").read_text().split(f"\n## {section}\n")[1].split("\n## ")[0]
    return re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)[1]


def get(url):
    with urllib.request.urlopen(url, timeout=PATIENCE) as response:
        return response.read().decode()


def port():
    """These programs do not tell which one they got."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def eventually(what, log, process=None):
    """What comes of it, once it neither fails nor is empty; gives up when the process has ended."""
    until, problem = time.monotonic() + PATIENCE, None
    while time.monotonic() < until and (process is None or process.poll() is None):
        try:
            if found := what():
                return found
        except OSError as error:
            problem = error
        time.sleep(0.1)
    raise AssertionError(f"{problem}\n{log.read_text()[-3000:]}")


@contextmanager
def running(command, log):
    with log.open("w") as output:
        process = subprocess.Popen([*map(str, command)], stdout=output, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="module")
def exporter(tmp_path_factory):
    log = tmp_path_factory.mktemp("demo") / "log"
    with running([EXPORTER, "demo", "--web.listen-address=127.0.0.1:0"], log) as process:
        address = eventually(lambda: re.search(r"http://(127\.0\.0\.1:\d+)/metrics", log.read_text()), log, process)[1]
        # Each webhook has been read, so that no series is to come.
        eventually(lambda: "\ncotalker_exporter_last_poll_success_timestamp_seconds 1" in get(f"http://{address}/metrics"), log)
        yield address


@pytest.fixture
def store(tmp_path):
    """A VictoriaMetrics: where what was scraped is written to."""
    address, log = f"127.0.0.1:{port()}", tmp_path / "store.log"
    command = [VICTORIA / "victoria-metrics", f"-storageDataPath={tmp_path}/data", f"-httpListenAddr={address}"]
    with running(command, log) as process:
        eventually(lambda: get(f"http://{address}/health"), log, process)
        yield address


def series(samples):
    """Names and labels, without those of the target; buckets are not told apart, for their bounds are worded differently."""
    beside = {"job", "instance", "le"}
    return {(name, frozenset((key, value) for key, value in labels.items() if key not in beside)) for name, labels, _ in samples}


def exposed(address):
    return [(sample.name, sample.labels, sample.value) for family in text_string_to_metric_families(get(f"http://{address}/metrics"))
            for sample in family.samples if sample.name.startswith("cotalker_")]


def stored(address):
    """The newest value of each series."""
    lines = get(f"http://{address}/api/v1/export?match[]={{__name__=~%22cotalker_.*%22}}").splitlines()
    found = [json.loads(line) for line in lines]
    return [(row["metric"].pop("__name__"), row["metric"], row["values"][-1]) for row in found]


def attempts(samples):
    return {labels["webhook_id"]: value for name, labels, value in samples if name == "cotalker_webhook_delivery_attempts_total"}


def assert_all_of_it_arrives(exporter, store, log, process):
    before = exposed(exporter)
    # Of a webhook that begins to fail or recovers meanwhile, a series comes or goes.
    wanted = {one for one in series(before) if one[0] not in ("cotalker_webhook_failing", "cotalker_webhook_delivery_responses_total")}
    eventually(lambda: wanted <= series(stored(store)), log, process)
    found = attempts(stored(store))
    after = attempts(exposed(exporter))
    assert set(found) == set(after)
    assert all(0 < found[webhook] <= after[webhook] for webhook in after)
    jobs = {labels["job"] for _, labels, _ in stored(store)}
    assert jobs == {"cotalker"}


def test_vmagent_stores_all_series_as_they_are(exporter, store, tmp_path):
    config = yaml.safe_load(block("VictoriaMetrics").replace("exporter:10942", exporter))
    config["global"] = {"scrape_interval": "1s"}
    (tmp_path / "vmagent.yml").write_text(yaml.dump(config))
    log = tmp_path / "vmagent.log"
    with running([VICTORIA / "vmagent", f"-promscrape.config={tmp_path}/vmagent.yml", f"-remoteWrite.url=http://{store}/api/v1/write",
                  f"-remoteWrite.tmpDataPath={tmp_path}/queue", f"-httpListenAddr=127.0.0.1:{port()}"], log) as process:
        assert_all_of_it_arrives(exporter, store, log, process)


def test_vmalert_reads_the_rules():
    done = subprocess.run([VICTORIA / "vmalert", "-dryRun", f"-rule={ROOT}/deploy/prometheus/rules.yml"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_collector_stores_all_series_as_they_are(exporter, store, tmp_path):
    text = block("OpenTelemetry Collector").replace("exporter:10942", exporter).replace("scrape_interval: 60s", "scrape_interval: 1s")
    text = text.replace("https://prometheus.example.com", f"http://{store}")
    config = yaml.safe_load(text)
    # It would serve metrics of its own, at a fixed port.
    config["service"]["telemetry"] = {"metrics": {"level": "none"}}
    (tmp_path / "collector.yml").write_text(yaml.dump(config))
    log = tmp_path / "collector.log"
    with running([COLLECTOR, f"--config=file:{tmp_path}/collector.yml"], log) as process:
        assert_all_of_it_arrives(exporter, store, log, process)


def test_datadogs_check_reads_all_metrics(exporter):
    ((name, annotation),) = yaml.safe_load(block("Datadog"))["podAnnotations"].items()
    assert name.startswith("ad.datadoghq.com/")
    (instance,) = json.loads(annotation)["openmetrics"]["instances"]
    instance["openmetrics_endpoint"] = instance["openmetrics_endpoint"].replace("%%host%%:10942", exporter)
    aggregator.reset()
    assert OpenMetricsBaseCheckV2("openmetrics", {}, [instance]).run() == ""
    found = {name: aggregator.metrics(name) for name in aggregator.metric_names}
    assert not [name for name in found if not name.startswith("cotalker.")]
    families = {re.sub(r"_(total|bucket|sum|count)$", "", name.removeprefix("cotalker_")) for name, _, _ in exposed(exporter)}
    assert families <= {re.sub(r"\.(count|sum|bucket)$", "", name.removeprefix("cotalker.")) for name in found} | {"webhook_failing"}
    lost = {tag for metric in found["cotalker.webhook_events_lost.count"] for tag in metric.tags}
    assert {key.split(":")[0] for key in lost} == {"webhook_id", "webhook"}
    endpoints = {tag for metric in found["cotalker.api_requests.count"] for tag in metric.tags if tag.startswith("endpoint:")}
    assert endpoints == {"endpoint:list", "endpoint:webhook", "endpoint:logs", "endpoint:login"}
