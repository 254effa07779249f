"""What a person gets wrong: exit 2, the place, the remedy, no traceback, nothing written."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.cli import run_command

SPEC = """\
campaign: mugs
products:
  from: products.csv
prompt: plain.j2
aspect_ratios: ["1:1"]
references:
  - {from: "{{ product.image }}", role: product}
"""
CATALOGUE = "sku,title,image\nMUG-01,Stoneware mug,mug.png\nMUG-02,Tall mug,mug.png\n"
TEMPLATE = "A photo of {{ product.title }}.\n"


def replaced(old: str, new: str) -> dict[str, str]:
    assert old in SPEC
    return {"campaigns/mugs.yaml": SPEC.replace(old, new)}


BROKEN: dict[str, tuple[dict[str, str], list[str]]] = {
    "a misspelt key": (
        replaced("aspect_ratios", "aspect_ratio"),
        ["mugs.yaml:5:1", "aspect_ratio", "did you mean 'aspect_ratios'"],
    ),
    "a misspelt nested key": (
        replaced("from: products.csv", "form: products.csv"),
        ["mugs.yaml:3:3", "form", "did you mean 'from'"],
    ),
    "a number where a list belongs": (
        replaced('["1:1"]', "5"),
        ["mugs.yaml:5:", "aspect_ratios", "list"],
    ),
    "a ratio that is none": (replaced('"1:1"', '"1x1"'), ["mugs.yaml:5:", "1x1"]),
    "a role that is none": (
        replaced("role: product}", "role: produkt}"),
        ["mugs.yaml:7:", "produkt", "style", "did you mean 'product'"],
    ),
    "a catalogue that is not there": (
        replaced("products.csv", "product.csv"),
        ["mugs.yaml:3:", "product.csv", "products.csv"],
    ),
    "a template that is not there": (
        replaced("plain.j2", "plane.j2"),
        ["mugs.yaml:4:", "plane.j2", "plain.j2"],
    ),
    "a template outside templates/": (
        replaced("plain.j2", "../secret.j2"),
        ["mugs.yaml:4:", "../secret.j2"],
    ),
    "a duplicate key": (
        {"campaigns/mugs.yaml": SPEC + "campaign: cups\n"},
        ["mugs.yaml:8:1", "campaign", "1"],
    ),
    "a tab in the indentation": (
        replaced("  from: products.csv", "\tfrom: products.csv"),
        ["mugs.yaml:3:"],
    ),
    "an unclosed bracket": (replaced('["1:1"]', '["1:1"'), ["mugs.yaml:"]),
    "an empty file": ({"campaigns/mugs.yaml": ""}, ["mugs.yaml", "empty"]),
    "a list on top": ({"campaigns/mugs.yaml": "- a\n- b\n"}, ["mugs.yaml:1:1"]),
    "an unknown channel": (
        {"campaigns/mugs.yaml": SPEC + "channels: [meta-feed-4x6]\n"},
        ["mugs.yaml:8:", "meta-feed-4x6", "meta-feed-4x5"],
    ),
    "an unknown provider": (
        {"campaigns/mugs.yaml": SPEC + "providers: {use: [prof]}\n"},
        ["mugs.yaml:8:", "prof", "did you mean 'proof'"],
    ),
    "an undefined word": (
        {"templates/plain.j2": "A photo of {{ product.title }} in {{ seasn }}.\n"},
        ["plain.j2:1", "seasn"],
    ),
    "an unknown column": (
        {"templates/plain.j2": "A photo of\n{{ product.titel }}.\n"},
        ["plain.j2:2", "titel", "title"],
    ),
    "a broken template": (
        {"templates/plain.j2": "A photo of {{ product.title }.\n"},
        ["plain.j2:1"],
    ),
    "a template that looks around": (
        {"templates/plain.j2": "{{ ''.__class__.__mro__ }}\n"},
        ["plain.j2:1"],
    ),
    "a duplicate product": (
        {"campaigns/products.csv": CATALOGUE + "MUG-01,Another mug,mug.png\n"},
        ["products.csv", "MUG-01", "2", "4"],
    ),
    "a row that is too long": (
        {"campaigns/products.csv": CATALOGUE + "MUG-03,Mug,mug.png,more,and more\n"},
        ["products.csv", "4"],
    ),
    "a photo that is not there": (
        {"campaigns/products.csv": CATALOGUE.replace("Tall mug,mug.png", "Tall mug,mog.png")},
        ["MUG-02", "mog.png"],
    ),
    "a photo outside the folder": (
        {"campaigns/products.csv": CATALOGUE.replace("Tall mug,mug.png", "Tall mug,../../x.png")},
        ["MUG-02", "../../x.png"],
    ),
    "a photo that is none": ({"campaigns/mug.png": "<html>404</html>"}, ["MUG-01", "mug.png"]),
    "a where with a misspelt column": (
        replaced("products.csv", "products.csv\n  where: \"titel == 'Tall mug'\""),
        ["titel", "title"],
    ),
    "a where that looks around": (
        replaced("products.csv", "products.csv\n  where: \"@__import__('os').getcwd() == ''\""),
        ["where", "@"],
    ),
    "an exclusion of nothing": (
        {"campaigns/mugs.yaml": SPEC + 'exclude: [{aspect_ratio: "4:5"}]\n'},
        ["mugs.yaml:8:", "4:5", "1:1"],
    ),
}


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from PIL import Image

    for variable in ("SHOTLIST_LEDGER_URL", "SHOTLIST_TAKES_URL"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "campaigns").mkdir()
    (tmp_path / "templates").mkdir()
    (tmp_path / "campaigns" / "mugs.yaml").write_text(SPEC)
    (tmp_path / "campaigns" / "products.csv").write_text(CATALOGUE)
    (tmp_path / "templates" / "plain.j2").write_text(TEMPLATE)
    Image.new("RGB", (200, 200), "white").save(tmp_path / "campaigns" / "mug.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def listing(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_sound_workspace_is_good(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(["validate", "campaigns/mugs.yaml"]) == 0
    assert capsys.readouterr().out == "campaigns/mugs.yaml: good: 2 products, 2 shots\n"


@pytest.mark.parametrize("command", ["validate", "plan", "run"])
@pytest.mark.parametrize("name", BROKEN)
def test_it_is_told_with_place_and_remedy_and_nothing_is_written(
    name: str,
    command: str,
    workspace: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    files, words = BROKEN[name]
    for path, text in files.items():
        (workspace / path).write_text(text)
    before = listing(workspace)
    assert run_command([command, "campaigns/mugs.yaml"]) == 2
    told = capsys.readouterr()
    assert "Traceback" not in told.err
    missing = [word for word in words if word not in told.err]
    assert not missing, told.err
    assert listing(workspace) == before


def test_all_faults_are_told_at_once(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (workspace / "campaigns" / "mugs.yaml").write_text(
        SPEC.replace("aspect_ratios", "aspects").replace("role: product", "role: x")
        + "takes: many\nstrict: perhaps\n"
    )
    assert run_command(["validate", "campaigns/mugs.yaml"]) == 2
    told = capsys.readouterr().err
    for place in ("mugs.yaml:5:1", "mugs.yaml:7:", "mugs.yaml:8:", "mugs.yaml:9:"):
        assert place in told, told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run"], "SPEC"),
        (["run", "campaigns/mugs.yaml", "--provder", "proof"], "--provder"),
        (["paln", "campaigns/mugs.yaml"], "paln"),
        (["run", "campaigns/mugs.yaml", "--provider", "prof"], "did you mean 'proof'"),
        (["run", "campaigns/mugs.yaml", "--only", "CUP-*"], "CUP-*"),
        (["run", "campaigns/cups.yaml"], "cups.yaml"),
        (["init", "."], "not empty"),
    ],
)
def test_a_wrong_option_is_exit_2_with_words(
    words: list[str], said: str, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = listing(workspace)
    assert run_command(words) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told
    assert listing(workspace) == before
