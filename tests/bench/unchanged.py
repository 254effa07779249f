"""(c) A campaign of 100,000 shots that is run again though nothing has changed.

10,000 products with a photo each, in two variants and five shapes. Its first run is not made: the
ledger's rows and the manifest are written as that run would leave them, and the 100,000 files are
names for a few small ones (hard links), so that the plan, the ledger, the manifest and the listing
of the destination are true to size, and only the pictures are not.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

PRODUCTS = 10_000
RATIOS = ("1:1", "4:5", "9:16", "16:9", "3:2")
MOST_S, MOST_MIB = 15.0, 1024.0
MOST_NAMES = 30_000
"""Names of one file: file systems bound them."""

_SMALL = b"a picture in name only\n"

SPEC = """\
campaign: big
products: {from: big.csv, image_base: photos}
prompt: scene.j2
variants: [{id: a, vars: {mood: calm}}, {id: b, vars: {mood: bold}}]
aspect_ratios: ["1:1", "4:5", "9:16", "16:9", "3:2"]
references: [{from: "{{ product.image }}", role: product}]
ask_above_usd: 100000
publish: {to: outputs/big}
"""
TEMPLATE = "{{ product.title }}, {{ mood }}, on a table of {{ product.material }}.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """What the second run took."""

    wall_s: float
    cpu_s: float
    """Of the process: the wall time on a machine that does nothing else."""
    peak_mib: float
    said: dict[str, object]


def laid_out(root: Path, products: int = PRODUCTS) -> None:
    """Write the workspace: catalogue, photos, template, campaign."""
    from PIL import Image

    photos = root / "campaigns" / "photos"
    photos.mkdir(parents=True)
    (root / "templates").mkdir()
    (root / "templates" / "scene.j2").write_text(TEMPLATE, "utf-8")
    (root / "campaigns" / "big.yaml").write_text(SPEC, "utf-8")
    rows = ["sku,title,category,price,color,material,image"]
    for number in range(products):
        name = f"SKU-{number:05d}"
        colour = (number % 251, number // 251 % 251, 90)
        Image.new("RGB", (320, 320), colour).save(photos / f"{name}.png", compress_level=1)
        rows.append(f"{name},Product {number},kitchen,{number % 90 + 9}.90,blue,steel,{name}.png")
    (root / "campaigns" / "big.csv").write_text("\n".join(rows) + "\n", "utf-8")


def made_before(root: Path) -> int:
    """Write what a first run would leave: takes, shots, files, manifest. Gives the shots."""
    from flows import jobs, publish
    from flows.jobs import lineage
    from flows.jobs.looks import Looks
    from flows.jobs.rows import rendition_row, take_row
    from flows.ledger import open_ledger, tables
    from flows.ledger.ledger import now
    from flows.nouns.rendition import Rendition, RenditionRow, RunRow
    from flows.nouns.take import Take, TakeState
    from flows.publish.manifest import as_csv, as_json
    from flows.publish.table import as_parquet

    job = jobs.prepare(jobs.Request(spec="campaigns/big.yaml", providers=("proof",)))
    at, account = now(), job.accounts[0]
    takes = {
        recipe.sha256: Take(
            recipe=recipe.sha256,
            realm=job.realm,
            state=TakeState.DONE,
            provider=account.host,
            account=account.name,
            model=recipe.model,
            sha256=hashlib.sha256(recipe.sha256.encode()).hexdigest(),
            width=64,
            height=64,
            format="png",
            created_at=at,
        )
        for work in job.work
        for recipe in work.shot.recipes
    }
    looks = Looks(job.campaign, job.realm, brand=None, signing=None)
    rows: list[RenditionRow] = []
    used = []
    for work in job.work:
        shot = work.shot
        said = lineage.words(shot, job.campaign, job.realm)
        source = lineage.source_type(shot, job.realm)
        for out in lineage.published(shot, work.paths, takes, every_take=False):
            used.append(take_row(shot, out.take))
            for output, form, path in out.files:
                small = _lie(root / "outputs" / "big" / path, len(rows), root)
                made_from = lineage.made_from(
                    out.take,
                    output,
                    form,
                    path,
                    said,
                    campaign=job.campaign,
                    source=source,
                    look=looks.digest(shot, output),
                )
                file = Rendition(
                    output=output.name, format=form, data=small, width=64, height=64, focus="center"
                )
                rows.append(
                    rendition_row(
                        shot,
                        out,
                        output,
                        file,
                        path=path,
                        sha256=hashlib.sha256(path.encode()).hexdigest(),
                        source=source,
                        made_from=made_from,
                    )
                )
    run = RunRow(
        id="first",
        started_at=at,
        ended_at=at,
        bought=len(takes),
        kept=0,
        spent_usd=0.0,
        retired=0,
        skipped_rows=[],
        notes=[],
        version="0",
    )
    wanted = {work.shot.shot_id: [one.sha256 for one in work.shot.recipes] for work in job.work}
    manifest = publish.merge(
        None,
        publish.News(
            campaign=job.campaign.campaign,
            title=job.campaign.title or job.campaign.campaign,
            realm=job.realm.value,
            spec_sha256=job.reading.spec_sha256,
            run=run,
            wanted=wanted,
            made=wanted.keys(),
            renditions=rows,
            takes=used,
        ),
    )
    place = job.place
    place.write("manifest.csv", as_csv(manifest))
    place.write("manifest.parquet", as_parquet(manifest))
    place.write("gallery.html", b"<!doctype html><title>not drawn for this measurement</title>")
    place.write("manifest.json", as_json(manifest))
    with open_ledger(job.settings.ledger_url) as book:
        book.plan_shots(job.campaign.campaign, job.realm, wanted, ())
        with book._engine.begin() as connection:
            connection.execute(
                tables.takes.insert(),
                [
                    {
                        "realm": take.realm.value,
                        "recipe": take.recipe,
                        "state": take.state.value,
                        "provider": take.provider,
                        "model": take.model,
                        "account": take.account,
                        "sha256": take.sha256,
                        "bytes": 64,
                        "width": take.width,
                        "height": take.height,
                        "format": take.format,
                        "intended_by": "first",
                        "changed_at": at,
                    }
                    for take in takes.values()
                ],
            )
    return len(wanted)


def _lie(path: Path, number: int, root: Path) -> bytes:
    """Give a small file one more name; gives its bytes."""
    whole = root / f"whole-{number // MOST_NAMES}"
    if not whole.exists():
        whole.write_bytes(_SMALL)
    path.parent.mkdir(parents=True, exist_ok=True)
    os.link(whole, path)
    return _SMALL


def again(root: Path) -> Again:
    """Run the campaign as a person would, and measure that process."""
    command = [sys.executable, "-m", "flows.cli", "run", "campaigns/big.yaml"]
    command += ["--provider", "proof", "--json"]
    began = time.monotonic()
    with (root / "said.json").open("wb") as said:
        process = subprocess.Popen(command, cwd=root, stdout=said, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
    wall_s = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, process.returncode
    return Again(
        wall_s=wall_s,
        cpu_s=used.ru_utime + used.ru_stime,
        peak_mib=used.ru_maxrss / 1024,
        said=json.loads((root / "said.json").read_text("utf-8")),
    )


def main(*, products: int = PRODUCTS) -> None:
    """Lay it out, run it again, print time and memory."""
    here = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        root = Path(folder)
        laid_out(root, products)
        environment = {**os.environ, "PYTHONPATH": str(here)}
        subprocess.run(
            [sys.executable, "-m", "tests.bench.unchanged", "before"],
            cwd=root,
            env=environment,
            check=True,
        )
        found = again(root)
    said = found.said
    assert (said["made_files"], said["bought"], said["failures"]) == (0, 0, []), said
    sys.stdout.write(
        f"(c) {said['shots']} shots run again unchanged: {found.wall_s:.1f} s (wanted: under "
        f"{MOST_S:g}), of them {found.cpu_s:.1f} s CPU, peak {found.peak_mib:.0f} MiB "
        f"(wanted: under {MOST_MIB:g}); {said['files']} files there, none made, none bought\n"
    )


if __name__ == "__main__":
    if sys.argv[1:] == ["before"]:
        made_before(Path.cwd())
    else:
        main()
