"""The cluster, the simulated Cotalker in it, the Prometheus operator beside it, and the figures of a run."""

import os
import pathlib

import pytest

from cluster import Cluster
from cotalker import Cotalker
from monitoring import Monitoring

FIGURES = []


@pytest.fixture
def figure():
    """Keeps a line for the end of the run."""
    return FIGURES.append


def pytest_terminal_summary(terminalreporter):
    terminalreporter.section("figures")
    for line in FIGURES:
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def cluster():
    cluster = Cluster(os.environ["CLUSTER_FOLDER"], os.environ["CLUSTER_PROGRAMS"])
    cluster.start()
    for archive in sorted(pathlib.Path(os.environ["CLUSTER_IMAGES"]).glob("*.tar")):
        cluster.ctr("images", "import", archive)
    yield cluster
    for namespace in cluster.get("namespace")["items"]:
        cluster.take_notes(namespace["metadata"]["name"])


@pytest.fixture(scope="session")
def cotalker(cluster):
    return Cotalker(cluster)


@pytest.fixture(scope="session")
def monitoring(cluster):
    return Monitoring(cluster)


@pytest.fixture
def namespace(cluster, cotalker, request):
    """A namespace for one test, restricted, with the token and the CA of the simulated Cotalker."""
    name = cluster.namespace(request.node.name.removeprefix("test_")[:30].strip("_").replace("_", "-"))
    cotalker.give_access(name)
    yield name
    cluster.take_notes(name)
    cluster.kubectl("delete", "namespace", name, "--wait=false")
