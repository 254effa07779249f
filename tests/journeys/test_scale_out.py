"""Files cut in other processes: Dask workers of which one is killed, Ray, and what comes back."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import Shotlist
from tests.journeys.beside import beside, free_port, prefect_server, wait_until
from tests.journeys.once import CAMPAIGN, WANTED, Place, place, run_at, told
from tests.servers.looking import lying
from tests.servers.storage import seaweed

pytestmark = [pytest.mark.journey, pytest.mark.slow]
MANY = """\
campaign: once
products: {items: [%s]}
prompt_text: "{{ product.title }} on an oak table, calm morning light, {{ aspect_ratio }}."
aspect_ratios: ["1:1", "4:5"]
alt: "{{ product.title }}"
"""
CUT_BY_PHOTO = (
    CAMPAIGN.replace("limit: 6", "limit: 3")
    + """\
references: [{from: "{{ product.image }}", role: product}]
sizes: [{name: wide, size: 1600x800}, {name: tall, size: 800x1600}]
"""
)
LONG_S = 1200.0
CLOUDS = {"169.254.169.254", "metadata.google.internal"}
"""Where machines of clouds are told about themselves."""


def many(products: int) -> str:
    """A campaign of two shots a product."""
    items = ", ".join(f"{{sku: P{one:03}, title: Jug {one:03}}}" for one in range(products))
    return MANY % items


@pytest.fixture(scope="module")
def api(
    clean_environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    with prefect_server(tmp_path_factory.mktemp("prefect"), clean_environment) as url:
        yield url


def need(runner: str) -> None:
    """Skip where a task runner's package is not installed."""
    if runner != "processes":
        why = f"prefect-{runner} is not installed: pip install 'shotlist[{runner}]'"
        pytest.importorskip(f"prefect_{runner}", reason=why)


@contextmanager
def cluster(
    folder: Path, environment: Mapping[str, str], within: Sequence[str] = ()
) -> Iterator[tuple[str, list[int]]]:
    """A Dask scheduler and two workers, each with a folder of its own: address and process ids."""
    need("dask")
    address, log = f"tcp://127.0.0.1:{free_port()}", folder / "dask.txt"
    port = address.rpartition(":")[2]
    quiet = ["--no-dashboard", "--host", "127.0.0.1"]
    scheduler = ["dask", "scheduler", "--port", port, *quiet]
    worker = ["dask", "worker", address, "--nthreads", "1", "--no-nanny", *quiet]
    worker += ["--local-directory", "."]
    with (
        beside(scheduler, folder / "scheduler", environment, log),
        beside(worker, folder / "one", environment, log, within) as one,
        beside(worker, folder / "two", environment, log, within) as two,
    ):
        wait_until("two Dask workers", lambda: log.read_text().count("Registered to") == 2, log)
        yield address, [one.pid, two.pid]


def bought_once(there: Place, wanted: int) -> None:
    """Inside the host's limits, each picture once, each published; told as figures."""
    page, twice, manifest = there.page("eachlabs"), there.twice(), there.manifest()
    print(  # noqa: T201 - figures of `make bench`
        f"\n{wanted} wanted: {page['made']} bought, {len(twice) + page['duplicates']} twice, "
        f"{page['over_limit']} over a limit; at most {page['peak_running']} running (of 10), "
        f"{page['peak_per_window']} requests a minute (of 100)"
    )
    assert (page["made"], page["duplicates"], twice) == (wanted, 0, [])
    assert (page["over_limit"], page["client_faults"]) == (0, 0)
    assert page["peak_running"] <= 10
    assert page["peak_per_window"] <= 100
    assert (manifest["failures"], len(manifest["renditions"])) == ([], wanted)


def test_of_two_dask_workers_one_is_killed_and_all_is_published_once(
    api: str,
    clean_environment: dict[str, str],
    shotlist_alone: Shotlist,
    postgres: Callable[[], str],
    tmp_path: Path,
    repository: Path,
) -> None:
    with place(tmp_path / "shop", repository, many(6), ledger=postgres()) as there:
        environment = {**clean_environment, "PREFECT_API_URL": api}
        staging = there.folder / ".shotlist" / "staging"
        with cluster(tmp_path, environment) as (address, workers):
            more = {**environment, **there.environment, "SHOTLIST_TASK_RUNNER": f"dask:{address}"}
            log = tmp_path / "run.txt"
            words = ["flows.cli", *run_at("eachlabs")]
            with beside(words, there.folder, more, log) as run:
                wait_until("a first file", lambda: any(staging.glob("*/*")), log)
                os.kill(workers[0], signal.SIGKILL)
                code = run.wait(LONG_S)
        manifest = there.manifest()
        again = ("--to", "outputs/calm", "--yes")
        at = {"cwd": there.folder, **there.environment, "PREFECT_API_URL": api}
        calm = shotlist_alone(*run_at("eachlabs")[:-1], *again, **at)
        here = there.manifest("calm")
        assert (code, calm.code) == (0, 0), log.read_text() + calm.err
        bought_once(there, WANTED)
    assert told(manifest)["renditions"] == told(here)["renditions"]
    assert [one["sha256"] for one in manifest["renditions"]] == [
        one["sha256"] for one in here["renditions"]
    ]


def test_six_hundred_shots_survive_the_death_of_a_dask_worker_and_then_of_the_run_itself(
    api: str,
    clean_environment: dict[str, str],
    postgres: Callable[[], str],
    tmp_path: Path,
    repository: Path,
) -> None:
    wanted = 600
    with place(tmp_path / "shop", repository, many(300), ledger=postgres()) as there:
        environment = {**clean_environment, "PREFECT_API_URL": api}
        with cluster(tmp_path, environment) as (address, workers):
            more = {**environment, **there.environment, "SHOTLIST_TASK_RUNNER": f"dask:{address}"}
            log = tmp_path / "run.txt"
            words = ["flows.cli", *run_at("eachlabs")]

            def has_made(takes: int) -> Callable[[], bool]:
                return lambda: there.page("eachlabs")["made"] >= takes

            with beside(words, there.folder, more, log) as run:
                wait_until("two hundred takes", has_made(200), log)
                os.kill(workers[0], signal.SIGKILL)
                wait_until("four hundred takes", has_made(400), log)
                run.kill()
                killed = run.wait()
            before = there.page("eachlabs")["made"]
            with beside(words, there.folder, more, log) as run:
                code = run.wait(LONG_S)
        assert (killed, code) == (-signal.SIGKILL, 0), log.read_text()
        assert 400 <= before < wanted
        bought_once(there, wanted)


def out_of_sight(folder: Path) -> list[str]:
    """Words that start a program for which a folder is empty, as on another machine."""
    words = ["unshare", "--mount", "--map-root-user", "sh", "-c"]
    words += [f"mount -t tmpfs none '{folder}' && exec \"$@\"", "sh"]
    if shutil.which("unshare") is None or subprocess.run([*words, "true"], check=False).returncode:
        pytest.skip("unshare (util-linux) may not be used here: nothing stands for a machine")
    return words


def test_machines_without_the_workspace_cut_the_same_files(
    api: str,
    clean_environment: dict[str, str],
    shotlist_alone: Shotlist,
    tmp_path: Path,
    repository: Path,
) -> None:
    with (
        place(tmp_path / "shop", repository, CUT_BY_PHOTO) as there,
        seaweed(tmp_path / "s3") as bucket,
    ):
        environment = {**clean_environment, **bucket.environment, "PREFECT_API_URL": api}
        takes = {"SHOTLIST_TAKES_URL": f"{bucket.url}/takes"}
        with cluster(tmp_path, environment, out_of_sight(there.folder)) as (address, _):
            more = {**environment, **there.environment, "SHOTLIST_TASK_RUNNER": f"dask:{address}"}
            made = shotlist_alone(*run_at("eachlabs"), cwd=there.folder, **more | takes)
            to = ("--to", "outputs/alone")
            alone = shotlist_alone(*run_at("eachlabs"), *to, cwd=there.folder, **more)
        photos = lying(f"{bucket.url}/takes/references", environment)
        manifest = there.manifest()
        at = {"cwd": there.folder, **environment, **there.environment, **takes}
        calm = shotlist_alone(*run_at("eachlabs"), "--to", "outputs/calm", **at)
        assert (made.code, alone.code, calm.code) == (0, 4, 0), made.err + alone.err + calm.err
        here = there.manifest("calm")
        bought_once(there, WANTED)
    assert "set SHOTLIST_TAKES_URL to a store that all machines reach" in alone.err
    assert len(photos) == len({one["product"] for one in here["renditions"]})
    assert [(one["path"], one["sha256"]) for one in manifest["renditions"]] == [
        (one["path"], one["sha256"]) for one in here["renditions"]
    ]


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("dask:tcp://127.0.0.1:{port}", "the scheduler does not answer"),
        ("ray:ray://127.0.0.1:{port}", "the cluster does not answer"),
    ],
)
def test_a_cluster_that_does_not_answer_is_told_before_anything_is_bought(
    named: str, said: str, api: str, shotlist_alone: Shotlist, tmp_path: Path, repository: Path
) -> None:
    need(named.partition(":")[0])
    named = named.format(port=free_port())
    with place(tmp_path, repository) as there:
        at = {"cwd": there.folder, **there.environment, "PREFECT_API_URL": api}
        away = shotlist_alone(*run_at("eachlabs"), **at, SHOTLIST_TASK_RUNNER=named)
        made = there.page("eachlabs")["creates"]
    assert (away.code, made) == (4, 0)
    assert f"SHOTLIST_TASK_RUNNER={named}: {said}" in away.err
    assert "Traceback" not in away.err
    assert ("RAY_AUTH_MODE=token" in away.err) == named.startswith("ray")


@pytest.mark.parametrize("named", ["processes", "dask", "ray"])
def test_files_that_other_processes_of_this_machine_cut_are_those_of_threads(
    named: str, api: str, shotlist_alone: Shotlist, tmp_path: Path, repository: Path
) -> None:
    need(named)
    with place(tmp_path, repository, CAMPAIGN) as there:
        at = {"cwd": there.folder, **there.environment, "PREFECT_API_URL": api}
        if named == "ray":
            # whatever it is told, it asks in which cloud it is; the closed network says no
            at["SHOTLIST_TEST_REFUSED"] = str(tmp_path / "refused")
        away = shotlist_alone(*run_at("eachlabs"), **at, SHOTLIST_TASK_RUNNER=named)
        assert away.code == 0, away.err
        assert "Finished in state" not in away.err  # what makers log of themselves
        assert "WARNING" not in away.err
        manifest = there.manifest()
        again = ("--to", "outputs/calm", "--yes")
        calm = shotlist_alone(*run_at("eachlabs")[:-1], *again, **at)
        assert calm.code == 0, calm.err
        here = there.manifest("calm")
        bought_once(there, WANTED)
    assert named != "ray" or set((tmp_path / "refused").read_text().split()) <= CLOUDS
    assert [(one["path"], one["sha256"]) for one in manifest["renditions"]] == [
        (one["path"], one["sha256"]) for one in here["renditions"]
    ]
