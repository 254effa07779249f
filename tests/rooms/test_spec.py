"""A YAML campaign: what it means, and every fault of a bad one with its place and remedy."""

# ruff: noqa: E501  (a fault stands here on one line, as it is printed)
from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from flows import read
from flows.errors import BadInput
from flows.nouns.campaign import Campaign
from flows.nouns.overlay import BrandKit, FontFile
from flows.nouns.shot import Reading
from flows.presets import channels
from flows.read import refusals

NO_OUTPUT = "campaign: spring\nproducts: {from: products.csv}\nprompt: studio.j2\n"
SOUND = NO_OUTPUT + 'aspect_ratios: ["1:1"]\n'
TOP_KEYS = (
    "campaign, title, products, prompt, prompt_text, vars, variants, experiment, locales, "
    "aspect_ratios, channels, sizes, share_masters, exclude, include, sample, references, takes, "
    "seed, model, strict, providers, budget, on_unknown, moderation, finish, brand, overlays, alt, "
    "tags, rights, tagging, publish, ask_above_usd, schedule"
)

BROKEN = {
    "a misspelt key, at the top and below": (
        SOUND + "aspects: [4:5]\nfinish: {qualty: 80}\n",
        [
            "5:1: unknown key 'aspects' (allowed: " + TOP_KEYS + "); did you mean 'aspect_ratios'?",
            "6:10: unknown key 'qualty' under finish (allowed: formats, quality, fit, pad, focus); did you mean 'quality'?",
        ],
    ),
    "keys that products do not have": (
        'campaign: spring\nproducts: {form: products.csv, limt: 3}\nprompt: studio.j2\naspect_ratios: ["1:1"]\n',
        [
            "2:12: unknown key 'form' under products (allowed: from, items, format, key, columns, image_base, translations, continuation, where, limit, on_bad_row); did you mean 'from'?",
            "2:32: unknown key 'limt' under products (allowed: from, items, format, key, columns, image_base, translations, continuation, where, limit, on_bad_row); did you mean 'limit'?",
        ],
    ),
    "a wrong kind of value everywhere": (
        "campaign: [a]\nproducts: products.csv\nprompt: {a: 1}\naspect_ratios: 1:1\ntakes: two\nstrict: maybe\nvars: [a]\nvariants: {a: 1}\nsizes: [hero]\n",
        [
            "1:1: campaign: expected text, found a list",
            "2:11: products: expected keys and values, found text 'products.csv'; write `products: {from: products.csv}`",
            "3:1: prompt: expected text, found keys and values",
            "4:16: aspect_ratios: expected a list, found text '1:1'; write [1:1]",
            "5:8: takes: expected a whole number, found text 'two'",
            "6:9: strict: expected true or false, found text 'maybe'",
            "7:1: vars: expected keys and values, found a list",
            "8:1: variants: expected a list, found keys and values",
            "9:9: sizes: expected keys and values, found text 'hero'",
        ],
    ),
    "words that are not among the choices": (
        SOUND
        + "on_unknown: prk\nproviders: {policy: cheap}\nseed: stabel\nfinish: {formats: [jpg], focus: middle}\nreferences: [{from: brand/style.jpg, role: styl}]\n",
        [
            "5:13: on_unknown: 'prk' is not known (allowed: park, rebuy); did you mean 'park'?",
            "6:21: providers.policy: 'cheap' is not known (allowed: failover, cheapest, fastest); did you mean 'cheapest'?",
            "7:7: seed: 'stabel' is not known (allowed: stable, none, a whole number); did you mean 'stable'?",
            "8:20: finish.formats: 'jpg' is not known (allowed: jpeg, png, webp, avif, tiff); did you mean 'jpeg'?",
            "8:33: finish.focus: 'middle' is not known (allowed: auto, center)",
            "9:44: references.role: 'styl' is not known (allowed: product, style, logo, hero, canvas); did you mean 'style'?",
        ],
    ),
    "numbers out of bounds": (
        SOUND
        + "takes: 0\nshare_masters: 1\nseed: -1\nfinish: {quality: 101}\nbudget: {max_usd: -1}\n",
        [
            "5:8: takes: 0 is too small (allowed: 1 or more)",
            "6:16: share_masters: 1 is too large (allowed: less than 1)",
            "7:7: seed: -1 is too small (allowed: 0 or more)",
            "8:19: finish.quality: 101 is too large (allowed: at most 100)",
            "9:19: budget.max_usd: -1 is too small (allowed: 0 or more)",
        ],
    ),
    "ratios of the wrong form and twice": (
        NO_OUTPUT + "aspect_ratios: [4/5, 1:0, 2:2, 1:1]\n",
        [
            "4:17: aspect_ratios: '4/5' does not have the right form (allowed: width:height, for example 4:5 or 1.91:1); did you mean '4:5'?",
            "4:22: aspect_ratios: '1:0' does not have the right form (allowed: width:height, for example 4:5 or 1.91:1)",
            "4:32: '1:1' is the same shape as '2:2'; keep one",
        ],
    ),
    "an id with a blank": (
        'campaign: Spring Mugs\nproducts: {from: products.csv}\nprompt: studio.j2\naspect_ratios: ["1:1"]\n',
        [
            "1:11: campaign: 'Spring Mugs' does not have the right form (allowed: a-z, 0-9 and single dashes between them, for example spring-mugs); did you mean 'spring-mugs'?",
        ],
    ),
    "a file that says next to nothing": (
        "title: x\n",
        [
            "1:1: campaign is missing; write `campaign: <id>` at the top",
            "1:1: there are no products; write `products: {from: <catalogue>}`",
            "1:1: there is no prompt; write `prompt: <file in templates/>` or `prompt_text: …`",
            '1:1: no output is asked for; write `aspect_ratios: ["1:1"]`, `channels: […]` or `sizes: […]`',
        ],
    ),
    "an empty file": (
        "",
        [
            "1:1: the file is empty; `shotlist init` makes one",
        ],
    ),
    "nothing but a comment": (
        "# x\n",
        [
            "1:1: the file is empty; `shotlist init` makes one",
        ],
    ),
    "a list at the top": (
        "- a\n",
        [
            "1:1: a campaign file begins with keys and values, this with a list or text; write `campaign: <id>` at the top",
        ],
    ),
    "text at the top": (
        "hello\n",
        [
            "1:1: a campaign file begins with keys and values, this with a list or text; write `campaign: <id>` at the top",
        ],
    ),
    "a tab as indent": (
        SOUND + "finish:\n\tquality: 3\n",
        [
            "6:1: a tab stands where YAML wants spaces; indent with spaces",
        ],
    ),
    "keys written twice": (
        SOUND + "title: a\nprompt: studio.j2\nvars: {a: 1, a: 2}\n",
        [
            "6:1: key 'prompt' stands here and on line 3; keep one of the two",
            "7:14: key 'a' stands here and on line 7; keep one of the two",
        ],
    ),
    "an alias bomb": (
        SOUND
        + "vars:\n  a: &a [x,x,x,x,x,x,x,x,x,x]\n  b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n  c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n  d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n  e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n",
        [
            "10:10: the aliases unfold to more than 20,000 values; write fewer aliases of aliases",
        ],
    ),
    "an alias within itself": (
        SOUND + "vars:\n  a: &a [*a]\n",
        [
            "6:10: the alias *a stands within itself; write the value out",
        ],
    ),
    "two documents": (
        SOUND + "---\ncampaign: two\n",
        [
            "5:1: a second document begins here (allowed: one document a file); remove the `---`, or make two files",
        ],
    ),
    "a Python tag": (
        SOUND + "vars: {a: !!python/object:os.system x}\n",
        [
            "5:11: the tag !!python/object:os.system is not allowed; remove it",
        ],
    ),
    "YAML 1.1 asked for": (
        '%YAML 1.1\n---\ncampaign: spring\nproducts: {from: products.csv}\nprompt: studio.j2\naspect_ratios: ["1:1"]\n',
        [
            "2:1: the file asks for YAML 1.1 (allowed: YAML 1.2); remove the %YAML line",
        ],
    ),
    "unquoted Jinja before words": (
        SOUND + "alt: {{ product.title }} on a table\n",
        [
            '5:7: a key must be a word; put quotes around text that begins with a brace: "{{ … }}"',
        ],
    ),
    "unquoted Jinja alone": (
        SOUND + "alt: {{ product.title }}\n",
        [
            '5:7: a key must be a word; put quotes around text that begins with a brace: "{{ … }}"',
        ],
    ),
    "an unquoted colon": (
        SOUND + "title: Spring: the mugs\n",
        [
            "5:14: a second `: ` in one line; put quotes around text that holds a colon and a blank",
        ],
    ),
    "an open quote": (
        SOUND + 'title: "Spring\n',
        [
            "6:1: the quote that opens at line 5, column 8 is never closed; close the quote",
        ],
    ),
    "an unquoted colour": (
        SOUND + "brand:\n  palette: [#0F4C81]\n",
        [
            '6:13: a bare # begins a comment; put quotes around "#…"',
        ],
    ),
    "an unquoted at sign": (
        SOUND + "title: @home\n",
        [
            "5:8: a value cannot begin with @; put quotes around it",
        ],
    ),
    "an open list": (
        SOUND + "tags: [a, b\nrights: {creator: x}\n",
        [
            "6:7: the list that opens at line 5, column 7 is not closed here; write `,` or `]`",
        ],
    ),
    "an odd indent": (
        SOUND + "finish:\n  quality: 80\n fit: crop\n",
        [
            "7:2: this line does not fit in with what begins at line 1, column 1; indent the keys of one level alike",
        ],
    ),
    "a hundred open lists": (
        SOUND
        + "vars: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
        [
            "5:46: nested too deeply (allowed: at most 40 levels)",
        ],
    ),
    "a control character": (
        SOUND + "title: a\x07b\n",
        [
            "5:9: the character U+0007 may not stand in YAML; remove it",
        ],
    ),
    "a template that is not there": (
        'campaign: spring\nproducts: {from: products.csv}\nprompt: studo.j2\naspect_ratios: ["1:1"]\n',
        [
            "3:9: there is no template 'studo.j2' in templates/ (allowed: studio.j2); did you mean 'studio.j2'?",
        ],
    ),
    "a template outside its folder": (
        'campaign: spring\nproducts: {from: products.csv}\nprompt: ../campaigns/products.csv\naspect_ratios: ["1:1"]\n',
        [
            "3:9: '../campaigns/products.csv' leaves the folder templates/; name a file inside it",
        ],
    ),
    "files that are not there": (
        'campaign: spring\nproducts: {from: product.csv}\nprompt: studio.j2\naspect_ratios: ["1:1"]\nreferences: [{from: brand/stile.jpg, role: style}, {from: brand/no.jpg, role: style, required: false}]\n',
        [
            "2:18: there is no file 'product.csv'; did you mean 'products.csv'?",
            "5:21: there is no file 'brand/stile.jpg'; did you mean 'brand/style.jpg'?",
        ],
    ),
    "an unknown channel": (
        NO_OUTPUT + "channels: [meta-feed-4x6]\n",
        [
            "4:12: there is no channel 'meta-feed-4x6' (allowed: meta-feed-1x1, meta-feed-4x5, meta-feed-191x1, meta-story-9x16, meta-reels-9x16, meta-reels-disclaimer-9x16 and 67 more: see `shotlist channels`); did you mean 'meta-feed-4x5'?",
        ],
    ),
    "locales of the wrong form and twice": (
        SOUND + "locales: [de_DE, en, EN]\n",
        [
            "5:11: 'de_DE' is not a locale (allowed: a language tag such as de or pt-BR); did you mean 'de-DE'?",
            "5:22: locale 'en' stands here and on line 5; keep one of the two",
        ],
    ),
    "variants that clash": (
        SOUND
        + "variants: [{id: a}, {id: a, weight: 0}, {weight: 2}, {id: b, prompt: studio.j2, prompt_text: x}]\n",
        [
            "5:26: variant 'a' stands here and on line 5; keep one of the two",
            "5:37: variants.weight: 0 is too small (allowed: more than 0)",
            "5:41: variants.id is missing",
            "5:94: `prompt` and `prompt_text` are two ways to say the same; keep one",
        ],
    ),
    "variants beside an experiment": (
        SOUND + "variants: [{id: a}]\nexperiment: {factors: {mood: [a]}}\n",
        [
            "6:1: `variants` and `experiment` are two ways to say the same: keep one",
        ],
    ),
    "files of the brand that are not there or no such files": (
        SOUND
        + "overlays: [{text: x}]\nbrand: {logo: brand/stile.jpg, logo_on_dark: 'https://a.example/l.svg', "
        + "fonts: [Inter, brand, brand/Inter.woff2, brand/Inter.otf, brand/]}\n",
        [
            "6:15: there is no file 'brand/stile.jpg'; did you mean 'brand/style.jpg'?",
            "6:46: 'https://a.example/l.svg' is an address; name a file beside the campaign",
            "6:95: 'brand/Inter.woff2' is a font for browsers; give the same font as TrueType or OpenType (.ttf, .otf)",
            "6:114: there is no file 'brand/Inter.otf'; did you mean 'brand/Inter.ttf'?",
            "6:131: 'brand/' is a folder, not a file",
        ],
    ),
    "a brand that lacks what is asked of it": (
        SOUND + "overlays: [{logo: true, box: top-left}]\nfinish: {fit: pad, pad: brand}\n",
        [
            "5:19: there is no logo; write `brand: {logo: <file>}`",
            '6:25: there is no colour of the brand to pad with; write `brand: {palette: ["#0F4C81"]}`, or another pad',
        ],
    ),
    "a cron expression of four fields": (
        SOUND + 'schedule: {cron: "0 25 * *", timezone: Europe/Berln}\n',
        [
            "5:18: '0 25 * *' has 4 fields where cron has 5 (allowed: minute, hour, day of the month, month, day of the week); for example `0 6 * * 1`: Mondays at six",
            "5:40: there is no time zone 'Europe/Berln' (allowed: a name such as Europe/Berlin or UTC); did you mean 'Europe/Berlin'?",
        ],
    ),
    "an hour, a storage and an address that are none": (
        SOUND
        + 'schedule: {cron: "0 25 * * mon"}\npublish: {to: "ftpx://a", public_url: cdn.acme}\n',
        [
            "5:18: '25' is no hour of a cron expression (allowed: 0-23, *, lists, ranges and steps); for example `0 6 * * 1`: Mondays at six",
            "6:15: no storage is called 'ftpx://'; did you mean 'ftp'?",
            "6:39: 'cdn.acme' is not a public address (allowed: https://host/path, without a query)",
        ],
    ),
    "sizes that clash or are incomplete": (
        SOUND
        + "sizes: [{name: 1x1, size: 10x10}, {size: 2400 x 1000}, {name: hero, size: 10x10, max_bytes: 3 apples}]\n",
        [
            "5:16: output '1x1' stands here and on line 4; keep one of the two",
            "5:35: sizes.name is missing",
            "5:42: sizes.size: '2400 x 1000' does not have the right form (allowed: WIDTHxHEIGHT in pixels, for example 2400x1000); did you mean '2400x1000'?",
            "5:93: sizes.max_bytes: '3 apples' cannot be used (allowed: a number of bytes such as 300 kB, 2 MB or 150000)",
        ],
    ),
    "colours of the wrong form": (
        SOUND + 'brand: {palette: ["#abc", "0F4C81", red]}\n',
        [
            "5:19: brand.palette: '#abc' does not have the right form (allowed: #RRGGBB, for example #0F4C81); did you mean '#aabbcc'?",
            "5:27: brand.palette: '0F4C81' does not have the right form (allowed: #RRGGBB, for example #0F4C81); did you mean '#0F4C81'?",
            "5:37: brand.palette: 'red' does not have the right form (allowed: #RRGGBB, for example #0F4C81)",
        ],
    ),
    "a domain that is an address, and one that is none": (
        SOUND + "publish: {adcp: {brand: 'https://Acme.example/de'}}\n",
        [
            "5:25: publish.adcp.brand: 'https://Acme.example/de' does not have the right form (allowed: a domain, lower case and without https://, for example acme.example); did you mean 'acme.example'?",
        ],
    ),
    "a domain without a dot": (
        SOUND + "publish: {adcp: {brand: acme}}\n",
        [
            "5:25: publish.adcp.brand: 'acme' does not have the right form (allowed: a domain, lower case and without https://, for example acme.example)",
        ],
    ),
    "variables that no template can say": (
        SOUND + "vars: {product: x, my-mood: y, deep: {a: {b: 1}}}\n",
        [
            "5:17: variable 'product' would hide the product that templates know; call it otherwise",
            "5:29: no template can say the variable 'my-mood' (allowed: letters, digits and _); did you mean 'my_mood'?",
            "5:39: vars.deep.a: expected text, a whole number, a number or true or false, found keys and values",
        ],
    ),
    "two prompts": (
        SOUND + "prompt_text: x\n",
        [
            "5:14: `prompt` and `prompt_text` are two ways to say the same: keep one",
        ],
    ),
    "two sources of products": (
        'campaign: spring\nproducts: {from: products.csv, items: [{sku: 1, title: x}]}\nprompt: studio.j2\naspect_ratios: ["1:1"]\n',
        [
            "2:1: products need exactly one of `from` and `items`",
        ],
    ),
    "columns that the catalogue does not have": (
        'campaign: spring\nproducts: {from: products.csv, key: skuu, columns: {image: foto}}\nprompt: studio.j2\naspect_ratios: ["1:1"]\n',
        [
            "2:60: products.columns.image: no column 'foto' in products.csv (allowed: sku, title, image)",
            "2:37: products.key: no column 'skuu' in products.csv (allowed: sku, title, image); did you mean 'sku'?",
        ],
    ),
    "true and fractions where whole numbers are wanted": (
        SOUND + "takes: true\nfinish: {quality: 80.5}\nstrict: no\nbudget: {max_usd: .inf}\n",
        [
            "5:8: takes: expected a whole number, found true",
            "6:19: finish.quality: expected a whole number, found the number 80.5",
            "8:19: budget.max_usd: expected a number, found text '.inf'",
        ],
    ),
    "a list as a key": (
        SOUND + "[a, b]: c\n",
        [
            '5:1: a key must be a word; put quotes around text that begins with a brace: "{{ … }}"',
        ],
    ),
    "an anchor under a key of its own": (
        'x: &x {quality: 80}\ncampaign: spring\nproducts: {from: products.csv}\nprompt: studio.j2\naspect_ratios: ["1:1"]\nfinish: {<<: *x, fit: crop}\n',
        [
            "1:1: unknown key 'x' (allowed: " + TOP_KEYS + ")",
        ],
    ),
    "every needed key misspelt": (
        'campaign: spring\nproduct: {from: products.csv}\npromt: studio.j2\naspect_ratio: ["1:1"]\n',
        [
            "2:1: unknown key 'product' (allowed: " + TOP_KEYS + "); did you mean 'products'?",
            "3:1: unknown key 'promt' (allowed: " + TOP_KEYS + "); did you mean 'prompt'?",
            "4:1: unknown key 'aspect_ratio' (allowed: "
            + TOP_KEYS
            + "); did you mean 'aspect_ratios'?",
        ],
    ),
}


FULL = """
campaign: spring-mugs
title: Spring mugs
products:
  from: products.csv
  format: auto
  key: sku
  columns: {title: "title", image: "image"}
  image_base: photos/
  continuation: true
  where: "sku != 'x'"
  limit: 50
  on_bad_row: stop
prompt: studio.j2
vars: {season: spring, code: 0123, answer: no, price: 9.90, count: 3, share: 0.5, on_sale: true}
variants:
  - {id: a, weight: 50, vars: {mood: calm}}
  - {id: b, weight: 50, vars: {mood: bold}, prompt: studio.j2}
locales: {en: {}, de: {vars: {greeting: Frühling}}}
aspect_ratios: [1:1, 4:5, 9:16]
channels: [meta-feed-4x5, google-pmax-landscape]
sizes: [{name: hero, size: 2400x1000, formats: [avif, jpeg], max_bytes: 300 kB}]
share_masters: 0.0
exclude: [{variant: b, aspect_ratio: 9:16}]
sample: {n: 200, seed: 1, by: product}
references:
  - {from: "{{ product.image }}", role: product}
  - {from: brand/style.jpg, role: style}
takes: 1
seed: stable
model: {name: seedream-4, resolution: 2K, guidance: 2.5, safety: true}
strict: false
providers: {use: [freepik, eachlabs], policy: failover}
budget: {max_usd: 25.10, per: run}
on_unknown: park
moderation: {retries: 1, then: report}
finish: {formats: [jpeg], quality: 82, fit: crop, focus: [0.5, 0.4]}
brand: {palette: ["#0F4C81"], logo: brand/logo.svg, fonts: [brand/Inter.ttf]}
overlays: [{text: "{{ product.title }}", box: bottom}]
alt: "{{ product.title }} on a breakfast table"
tags: [spring, "{{ product.category }}"]
rights: {creator: Acme GmbH, copyright: "© 2026 Acme GmbH", license_url: https://acme.example/licence}
publish:
  to: outputs/spring
  public_url: https://cdn.acme.example/spring-mugs
  path: "{{ product.key }}/{{ variant }}/{{ locale }}/{{ name }}.{{ ext }}"
  feeds: [{name: merchant, column: additional_image_link, channel: google-merchant-lifestyle}]
ask_above_usd: 1.00
schedule: {cron: "0 6 * * 1", timezone: Europe/Berlin}
"""


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "campaigns/brand").mkdir(parents=True)
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/studio.j2").write_text("A {{ product.title }}")
    (tmp_path / "campaigns/products.csv").write_text("sku,title,image\nMUG-1,Mug,mug.jpg\n")
    for name in ("style.jpg", "logo.svg", "Inter.ttf"):
        (tmp_path / "campaigns/brand" / name).write_bytes(name.encode())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read_text(text: str | bytes, name: str = "campaigns/x.yaml") -> Reading:
    Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return read.campaign(Path(name), today=date(2026, 11, 21))


def faults_of(text: str | bytes, name: str = "campaigns/x.yaml") -> list[str]:
    with pytest.raises(BadInput) as error:
        read_text(text, name)
    assert error.value.what == f"{name} cannot be used"
    return [str(fault).removeprefix(f"{name}:") for fault in error.value.faults]


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_campaign_is_told_whole(workspace: Path, kind: str) -> None:
    text, faults = BROKEN[kind]
    assert faults_of(text) == faults


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (SOUND.encode("utf-16"), "1:1: the file is not UTF-8 but UTF-16; save the file as UTF-8"),
        (
            (SOUND + "title: Frühling\n").encode("latin-1"),
            "5:10: byte 0xFC is not UTF-8; save the file as UTF-8",
        ),
        (
            (SOUND + "#" * (1 << 20)).encode(),
            " 1,048,665 bytes (allowed: at most 1 MiB); products belong in a catalogue file",
        ),
        (
            (SOUND + 'title: "\\U99999999"\n').encode(),
            "5:1: what follows here is not YAML; check the spelling",
        ),
    ],
)
def test_bytes_that_are_no_campaign_are_refused(workspace: Path, data: bytes, fault: str) -> None:
    assert faults_of(data) == [fault]


def test_a_full_campaign_is_read_as_it_looks(workspace: Path) -> None:
    reading = read_text(FULL)
    campaign = reading.campaign
    assert campaign.vars == {
        "season": "spring",
        "code": "0123",
        "answer": "no",
        "price": "9.90",
        "count": 3,
        "share": 0.5,
        "on_sale": True,
    }
    assert campaign.aspect_ratios == ["1:1", "4:5", "9:16"]
    assert campaign.exclude[0].aspect_ratio == "9:16"
    assert campaign.sizes[0].max_bytes == 300_000
    assert campaign.budget is not None
    assert campaign.budget.max_usd == Decimal("25.10")
    assert campaign.finish.focus == [0.5, 0.4]
    assert campaign.locale_variables() == {"en": {}, "de": {"greeting": "Frühling"}}
    assert [product.key for product in reading.products] == ["MUG-1"]
    assert reading.rows is None
    assert reading.spec_path == "campaigns/x.yaml"
    assert reading.spec_sha256 == hashlib.sha256(FULL.encode()).hexdigest()
    assert Path(reading.image_base) == Path("campaigns/photos")
    assert reading.notes == ()
    assert reading.brand == BrandKit(
        palette=("#0F4C81",),
        fonts=(FontFile(name="brand/Inter.ttf", data=b"Inter.ttf"),),
        logo=b"logo.svg",
    )
    assert reading.channels == channels()


def test_every_key_has_its_place(workspace: Path) -> None:
    places = read_text(FULL).places
    assert {
        key: places[key]
        for key in ("references", "references.0", "references.0.from", "aspect_ratios.1", "alt")
    } == {
        "references": "campaigns/x.yaml:26:1",
        "references.0": "campaigns/x.yaml:27:5",
        "references.0.from": "campaigns/x.yaml:27:12",
        "aspect_ratios.1": "campaigns/x.yaml:20:22",
        "alt": "campaigns/x.yaml:40:6",
    }


def test_scalars_keep_their_spelling_in_text_fields(workspace: Path) -> None:
    reading = read_text(
        "campaign: 0123\ntitle: 2026\nprompt: studio.j2\naspect_ratios: [1:1]\n"
        "products: {items: [{sku: 001, title: No, stock: 1.50, size: ~}]}\n"
        "variants: [{id: 1, weight: 1.50}]\ntags: [true, 1e3, 2026-01-01]\nstrict: no\n"
        "locales: {no: }\n"
    )
    campaign = reading.campaign
    assert (campaign.campaign, campaign.title) == ("0123", "2026")
    assert (campaign.variants[0].id, campaign.variants[0].weight) == ("1", 1.5)
    assert campaign.tags == ["true", "1e3", "2026-01-01"]
    assert campaign.strict is False
    assert campaign.locale_variables() == {"no": {}}
    assert campaign.products is not None
    assert campaign.products.items == [{"sku": "001", "title": "No", "stock": "1.50", "size": None}]
    assert reading.products[0].key == "001"


def test_anchors_and_merge_keys_are_followed(workspace: Path) -> None:
    reading = read_text(
        SOUND + "variants:\n  - &a {id: a, weight: 2, vars: {mood: calm}}\n  - {<<: *a, id: b}\n"
    )
    assert [(one.id, one.weight, one.vars) for one in reading.campaign.variants] == [
        ("a", 2, {"mood": "calm"}),
        ("b", 2, {"mood": "calm"}),
    ]


def test_a_key_with_nothing_after_it_is_not_written(workspace: Path) -> None:
    assert read_text(SOUND + "vars:\ntags: ~\n").campaign == read_text(SOUND).campaign


def test_a_retired_channel_is_a_fault_with_its_reason(workspace: Path) -> None:
    from flows.presets import channels

    retired = [channel for channel in channels().values() if channel.retired]
    assert retired, "no preset is retired: this test has lost its example"
    assert faults_of(f"{NO_OUTPUT}channels: [{retired[0].id}]\n") == [
        f"4:12: channel '{retired[0].id}' is retired: {retired[0].retired}; remove it"
    ]


def test_faults_of_the_catalogue_come_once_the_spec_is_sound(workspace: Path) -> None:
    Path("campaigns/products.csv").write_text("sku,title\nA,One\nA,Two\n,\nB\n")
    with pytest.raises(BadInput) as error:
        read_text(SOUND)
    assert error.value.what == "campaigns/x.yaml cannot be used"
    assert len(error.value.faults) == 2
    assert faults_of(SOUND.replace("prompt:", "promt:")) == [
        f"3:1: unknown key 'promt' (allowed: {TOP_KEYS}); did you mean 'prompt'?"
    ]


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("campaigns/sprin.yaml", "campaigns/sprin.yaml: no such file; did you mean 'spring.yaml'?"),
        (
            "campaigns",
            "campaigns: a folder, not a file; name a file in it: products.csv, spring.yaml",
        ),
        (
            "campaigns/spring.json",
            "campaigns/spring.json: '.json' is no campaign file (allowed: YAML (.yaml, .yml) or CSV (.csv, .tsv)); did you mean 'spring.yaml'?",
        ),
    ],
)
def test_a_campaign_that_is_not_there_is_told(workspace: Path, name: str, fault: str) -> None:
    Path("campaigns/spring.yaml").write_text(SOUND)
    with pytest.raises(BadInput) as error:
        read.campaign(Path(name))
    assert [str(one) for one in error.value.faults] == [fault]


def test_a_yaml_campaign_takes_no_defaults(workspace: Path) -> None:
    Path("campaigns/x.yaml").write_text(SOUND)
    with pytest.raises(BadInput) as error:
        read.campaign(Path("campaigns/x.yaml"), defaults=Path("campaigns/x.yaml"))
    assert [str(fault) for fault in error.value.faults] == [
        "--defaults: campaigns/x.yaml is YAML and says everything itself; give --defaults with a CSV of briefs"
    ]


def test_defaults_that_are_run_by_mistake_name_their_csv(workspace: Path) -> None:
    Path("campaigns/brief.csv").write_text("title\nA mug\n")
    assert faults_of("prompt: studio.j2\n", "campaigns/brief.yaml") == [
        "1:1: there are no products; these look like the defaults of brief.csv: run campaigns/brief.csv"
    ]


_PIECES = st.sampled_from(
    [
        *SOUND.splitlines(keepends=True),
        "vars: ",
        "&a ",
        "*a",
        "[",
        "]",
        "{",
        "}",
        "- ",
        "? ",
        ": ",
        "|\n",
        ">\n",
        '"',
        "'",
        "<<: ",
        "!!",
        "!x ",
        "%YAML 1.2\n",
        "---\n",
        "...\n",
        "\t",
        "  ",
        "\n",
        "#",
        "~",
        "takes: ",
        "seed: ",
        "variants: ",
        "1e999",
        "\\U99999999",
        "0x1",
        "\x85",
    ]
)


@settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.text(), st.binary(max_size=64), st.lists(_PIECES).map("".join)))
@example("? [a]\n: b")
@example("%YAML 1." + "9" * 5000 + "\n---\na")
@example("- " * 500)
@example("{" * 500)
def test_whatever_is_written_is_read_or_refused(workspace: Path, garbage: str | bytes) -> None:
    data = garbage if isinstance(garbage, bytes) else garbage.encode("utf-8", "surrogatepass")
    try:
        reading = read_text(data)
    except BadInput as error:
        # either end is right; which one depends on the example
        assert error.faults  # noqa: PT017
        assert all(one.place.startswith("campaigns/") for one in error.faults)  # noqa: PT017
    else:
        assert reading.products


def test_half_a_character_is_refused(workspace: Path) -> None:
    assert faults_of(SOUND + 'title: "\\ud800"\n') == [
        "5:8: half of a character; write the character itself"
    ]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_a_title_comes_back_as_it_was_quoted(workspace: Path, title: str) -> None:
    reading = read_text(SOUND + f"title: {json.dumps(title)}\n")
    assert reading.campaign.title == title


def test_the_committed_schema_is_current_and_fits(repository: Path, workspace: Path) -> None:
    import jsonschema
    from ruamel.yaml import YAML

    committed = json.loads((repository / "campaigns/campaign.schema.json").read_text())
    assert committed == read.schema()
    check = jsonschema.Draft202012Validator(committed)
    assert list(check.iter_errors(YAML(typ="safe", pure=True).load(FULL))) == []
    wrong = {"campaign": "Spring", "aspects": []}
    assert len(list(check.iter_errors(wrong))) == 2


def test_reading_imports_nothing_heavy(repository: Path) -> None:
    heavy = ("pandas", "numpy", "PIL", "httpx", "fsspec", "prefect", "pyarrow")
    code = f"import sys, flows.read; print([m for m in {heavy} if m in sys.modules])"
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=True
    )
    assert ended.stdout == "[]\n"


def test_no_pattern_is_told_to_a_person_as_a_regular_expression() -> None:
    def patterns(schema: object) -> Iterator[str]:
        if isinstance(schema, dict):
            if isinstance(found := schema.get("pattern"), str):
                yield found
            for one in schema.values():
                yield from patterns(one)
        elif isinstance(schema, list):
            for one in schema:
                yield from patterns(one)

    found = set(patterns(Campaign.model_json_schema()))
    assert len(found) >= 4
    assert found <= refusals._PATTERN_WORDS.keys()
