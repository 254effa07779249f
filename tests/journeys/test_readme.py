"""README.md tells the truth: what is made from the code is current, and its examples work.

`python -m tests.readme` renews the generated parts.
"""

from __future__ import annotations

import re
import shutil
import tomllib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel
from ruamel.yaml import YAML

from flows import jobs, read
from flows.cli import INTERRUPTED
from flows.errors import BadInput, EnvironmentFault, StoppedAtBudget
from flows.nouns import campaign as keys
from flows.nouns.rendition import FailureRow, Manifest, RenditionRow, RunRow, TakeRow, Totals
from flows.nouns.shot import ShotList
from flows.read.accounts import accounts
from flows.sandbox import faults, hosts
from flows.settings import KEY_VARIABLES
from tests import readme

TEXT = readme.README.read_text("utf-8")

_FENCE = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
_SAVED = re.compile(
    r"`(?P<path>(?:campaigns|templates)/[^`<*]+)`[^`]*?\n\n```(?:yaml|csv|jinja)\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)

BLOCKS = [(fence["language"], fence["text"]) for fence in _FENCE.finditer(TEXT)]
SAVED = {saved["path"]: saved["text"] for saved in _SAVED.finditer(TEXT)}
"""The examples that a reader is told to save, by their path in a workspace."""
SETTINGS = dict(
    zip(
        ("accounts.yaml", "faults.yaml"),
        (text for language, text in BLOCKS if language == "yml"),
        strict=True,
    )
)
"""The examples in YAML that are no campaigns."""
PROSE = _FENCE.sub("", TEXT)
SPOKEN = " ".join(re.findall(r"`([^`\n]+)`", PROSE))
"""All code in running text."""
CODE = "\n".join([SPOKEN, *(text for _, text in BLOCKS)])

NOT_YET = {keys.Budget, keys.Schedule}
"""Parts of a spec whose keys are not worth a word before they do something."""


Planned = Callable[[str], ShotList]


@pytest.fixture(scope="module")
def planned(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Planned:
    """Plans in what `init` lays out, with all examples saved as the page says."""
    root = tmp_path_factory.mktemp("readme")
    for folder in ("campaigns", "templates"):
        shutil.copytree(repository / folder, root / folder)
    for path, text in SAVED.items():
        (root / path).write_text(text, "utf-8")
    story = SAVED["campaigns/mugs.yaml"].replace("lifestyle.j2", "story.j2")
    (root / "campaigns" / "story.yaml").write_text(story, "utf-8")
    return cache(lambda spec: jobs.check(jobs.Request(spec=str(root / "campaigns" / spec))))


def table(head: str) -> list[list[str]]:
    """The cells of the table whose header begins so, row by row."""
    found = re.search(rf"^\| {re.escape(head)} \|.*\n\|[-| ]+\|\n((?:\|.*\n)+)", TEXT, re.MULTILINE)
    assert found, f"there is no table '{head}'"
    rows = found[1].strip().splitlines()
    return [[cell.strip() for cell in row.strip("| ").split(" | ")] for row in rows]


def spoken(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_the_generated_parts_are_current() -> None:
    assert set(readme.generated(TEXT)) == set(readme.PARTS)
    assert readme.renewed(TEXT) == TEXT, f"README.md is not current: run {readme.RENEW}"


def test_every_command_is_there_and_no_other_is_promised() -> None:
    commands = set(readme.commands())
    told = set(re.findall(r"^shotlist ([a-z]+) (?:\[|--)", TEXT, re.MULTILINE))
    assert told == commands
    assert set(re.findall(r"shotlist ([a-z]+)\b", CODE)) <= commands
    later = " ".join(re.findall(r"^- The commands (.*)$", TEXT, re.MULTILINE))
    assert not commands & set(spoken(later))


def _parts(model: type[BaseModel], done: set[type[BaseModel]]) -> set[type[BaseModel]]:
    done.add(model)
    waiting: list[Any] = [field.annotation for field in model.model_fields.values()]
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            if kind not in done:
                _parts(kind, done)
        else:
            waiting.extend(get_args(kind))
    return done


def test_every_key_of_a_campaign_is_there() -> None:
    missing = [
        f"{part.__name__}: {field.alias or name}"
        for part in _parts(keys.Campaign, set()) - NOT_YET
        for name, field in part.model_fields.items()
        if not re.search(rf"\b{field.alias or name}\b", CODE)
    ]
    assert missing == []


def test_every_yaml_example_fits_the_schema() -> None:
    examples = [text for language, text in BLOCKS if language == "yaml"]
    assert len(examples) == len([path for path in SAVED if path.endswith(".yaml")])
    yaml, validator = YAML(typ="safe", pure=True), Draft202012Validator(read.schema())
    for text in examples:
        validator.validate(yaml.load(text))


@pytest.mark.parametrize(
    ("spec", "shots"),
    [("mugs.yaml", 24), ("spring.yaml", 24), ("moods.yaml", 4), ("launch.csv", 3)],
)
def test_every_campaign_of_the_page_can_be_planned(planned: Planned, spec: str, shots: int) -> None:
    assert len(planned(spec).shots) == shots


def test_every_example_is_planned_or_belongs_to_one() -> None:
    assert set(SAVED) == {
        "campaigns/mugs.yaml",
        "campaigns/spring.yaml",
        "campaigns/data/words.csv",  # of spring
        "campaigns/moods.yaml",
        "campaigns/launch.csv",
        "campaigns/launch.yaml",  # of launch.csv
        "campaigns/letters.yaml",
        "templates/story.j2",
    }
    blocks = [text for language, text in BLOCKS if language in {"yaml", "csv", "jinja"}]
    assert sorted(blocks) == sorted(SAVED.values())


def test_the_words_of_the_page_reach_the_shots(planned: Planned) -> None:
    letters = {shot.shot_id: shot.overlays for shot in planned("letters.yaml").shots}
    assert [one.text for one in letters["MUG-01/de/meta-feed-4x5"]] == [
        "Frühstücksgeschirr für Winterwaldmorgen",
        "24.00 $",
    ]
    spring = planned("spring.yaml").shots
    titles = {(shot.product.key, shot.locale): shot.title for shot in spring}
    assert titles["MUG-01", "de"] == "Fjörd Steingutbecher"
    assert titles["MUG-01", "en"] == "Fjörd Stoneware Mug"
    assert {shot.shot_id: shot.prompt for shot in planned("launch.csv").shots} == {
        "MUG-01/1x1": "Fjörd mug in a windowsill, soft light.",
        "MUG-01/4x5": "Fjörd mug in a windowsill, soft light.",
        "a-table-for-four/16x9": "A table set for four in a courtyard, seen from above.",
    }


def test_the_template_of_the_page_renders(planned: Planned) -> None:
    first, about, frame, *_ = planned("story.yaml").shots[0].prompt.splitlines()
    assert first == "Photograph of the Fjörd Stoneware Mug, made of stoneware."
    assert about.startswith("A generous mug with a blue glaze that runs")
    assert about.endswith("safe in the dishwasher.")
    assert frame.startswith("Square frame, 1:1:")


def test_the_exit_codes_are_those_of_the_program() -> None:
    errors = (BadInput, StoppedAtBudget, EnvironmentFault)
    assert [int(row[0]) for row in table("exit code")] == [
        0,
        1,
        *(error.exit_code for error in errors),
        INTERRUPTED,
    ]


def test_the_environment_is_that_of_the_program(repository: Path) -> None:
    told = {name for row in table("variable") for name in spoken(row[0])}
    settings = (repository / "flows" / "settings" / "settings.py").read_text("utf-8")
    assert told == {
        *KEY_VARIABLES.values(),
        *re.findall(r"SHOTLIST_[A-Z0-9_]+", settings),
        "PREFECT_API_URL",
        "SHOTLIST_TEST_DATA",
    }


def test_the_accounts_and_faults_of_the_page_can_be_used(tmp_path: Path) -> None:
    (tmp_path / "accounts.yaml").write_text(SETTINGS["accounts.yaml"], "utf-8")
    (tmp_path / "faults.yaml").write_text(SETTINGS["faults.yaml"], "utf-8")
    told = accounts(tmp_path / "accounts.yaml", KEY_VARIABLES)
    assert set(told) == {"eachlabs", "byteplus", "fal"}
    assert len(faults.Faults.read(tmp_path / "faults.yaml", hosts.names()).rules) == 4


def test_the_kinds_of_faults_are_those_of_the_sandbox() -> None:
    (told,) = re.findall(r"`kind` is (.*?)\.", PROSE, re.DOTALL)
    assert set(spoken(told)) == set(faults.KINDS)


def test_the_policies_are_those_of_the_program() -> None:
    (known,) = [
        get_args(field.annotation)
        for name, field in keys.ProviderChoice.model_fields.items()
        if name == "policy"
    ]
    assert [spoken(row[0])[0] for row in table("policy")] == list(known)


def test_the_fields_of_a_manifest_are_those_of_the_program() -> None:
    shapes: dict[str, type] = {
        "top": Manifest,
        "run": RunRow,
        "renditions": RenditionRow,
        "takes": TakeRow,
        "failures": FailureRow,
        "totals": Totals,
    }
    told = {
        row[0].replace("`", "").split()[-1]: sorted(spoken(row[1]))
        for row in table("in `manifest.json`")
    }
    assert told == {name: sorted(shape.__annotations__) for name, shape in shapes.items()}


def test_the_dialects_are_those_of_the_program() -> None:
    told = {spoken(row[0])[0] for row in table("`format`")}
    assert told == set(get_args(keys.Dialect)) - {"auto"}


def test_the_templates_that_are_there_are_told(repository: Path) -> None:
    there = {path.name for path in (repository / "templates").glob("[!_]*.j2")}
    assert there == set(re.findall(r"`(\w+\.j2)` \(", PROSE))


def test_the_layers_are_those_that_the_linter_holds(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))
    (layers,) = [
        contract["layers"]
        for contract in project["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    ]
    (told,) = re.findall(r"^`cli` > .*?\.", TEXT, re.MULTILINE | re.DOTALL)
    assert [spoken(layer) for layer in told.split(">")] == [layer.split(" | ") for layer in layers]


def test_the_install_lines_are_those_of_the_makefile(repository: Path) -> None:
    makefile = (repository / "Makefile").read_text("utf-8")
    command = re.compile(r"^\t\$\(BIN\)/(.*(?:pip install|shotlist run|pytest$).*)$", re.MULTILINE)
    lines = [line for line in command.findall(makefile) if "fidelity" not in line]
    assert len(lines) == 4
    posix, windows = (
        text for language, text in BLOCKS if language in {"sh", "powershell"} and ".[dev]" in text
    )
    for line in lines:
        words = line.replace("--quiet ", "")
        assert f".venv/bin/{words}\n" in posix
        mine = words.replace("'", '"').replace("campaigns/", "campaigns\\")
        assert f".venv\\Scripts\\{mine}\n" in windows


def test_links_pictures_and_places_are_there(repository: Path) -> None:
    headings = {
        re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.+)$", PROSE, re.MULTILINE)
    }
    for link in re.findall(r"\]\(([^)]+)\)", PROSE):
        if link.startswith("#"):
            assert link[1:] in headings, link
        elif "://" not in link:
            assert (repository / link).is_file(), link
    made = {*SAVED, "campaigns/"}
    for place in re.findall(r"`((?:flows|tests|templates|campaigns|\.github)/[^`<*…]*)`", PROSE):
        assert place in made or (repository / place).exists(), place


def test_the_picture_is_small_enough_to_look_at(repository: Path) -> None:
    assert (repository / ".github" / "gallery.png").stat().st_size < 400_000
