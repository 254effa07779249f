"""What is handed out works: the wheel, installed where nothing of this checkout is seen."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.journeys.test_first_run import true_renditions

pytestmark = pytest.mark.journey


def test_the_wheel_lays_out_a_workspace_and_runs_the_demo(
    repository: Path,
    tmp_path: Path,
    clean_environment: dict[str, str],
    prefect_server: str,
) -> None:
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir"]
    subprocess.run([*build, tmp_path, repository], check=True, capture_output=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")

    home = tmp_path / "venv"
    venv.create(home, with_pip=True)
    python = home / ("Scripts" if os.name == "nt" else "bin") / "python"
    install = [python, "-m", "pip", "install", "--no-index", "--no-deps", "--quiet", wheel]
    subprocess.run(install, check=True, capture_output=True, timeout=120)
    # the dependencies are those that the tests run with; a path file shows them without this
    # checkout, whose own path file is not read from there
    site = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    Path(site, "dependencies.pth").write_text(sysconfig.get_path("purelib"), "utf-8")

    command = python.with_name("shotlist")
    environment = {**clean_environment, "PREFECT_API_URL": prefect_server}
    shop = tmp_path / "shop"

    def call(*words: str | Path) -> None:
        done = subprocess.run(
            [command, *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    call("init", shop)
    spec = shop / "campaigns" / "demo.yaml"
    spec.write_text(spec.read_text("utf-8") + "\nmodel: {resolution: 1K}\n", "utf-8")
    call("run", spec)
    assert len(true_renditions(shop / "outputs" / "demo")["renditions"]) == 48
