"""Prompt templates: strict about words, plain in their text, and unable to do harm."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.errors import BadInput, Fault
from flows.nouns.product import Product
from flows.plan.prompts import Template, Templates, filters, product_words

REPOSITORY = Path(__file__).parent.parent.parent

MUG = Product(
    key="MUG-01",
    title="Fjörd Mug",
    fields={
        "title": "Fjörd Mug",
        "price": "24.90",
        "brand": "",
        "tags": "blue|clay",
        "description": "<p>Warm.</p>",
    },
    row={"Product Name": "Fjörd Mug", "Glaze Colour": "storm blue"},
    images=("mug.jpg", "back.jpg"),
    translations={"de": {"title": "Fjörd-Becher", "description": ""}},
)


def words(product: Product = MUG, locale: str = "") -> object:
    return product_words(
        product,
        locale=locale,
        image=product.images[0] if product.images else "",
        images=product.images,
    )


def known(**more: object) -> dict[str, object]:
    return {"product": words(), "season": "spring", "aspect_ratio": "4:5", **more}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    there = tmp_path / "templates"
    there.mkdir()
    return there


@pytest.fixture
def say(folder: Path):
    """Renders a text beside the files of the folder."""

    def rendered(text: str, /, **more: object) -> str:
        return Templates(folder).compile(text=text).render(known(**more))

    return rendered


def write(folder: Path, **files: str) -> Templates:
    for name, text in files.items():
        (folder / f"{name}.j2").write_text(text, encoding="utf-8")
    return Templates(folder)


def faults_of(act: Any) -> list[str]:
    with pytest.raises(BadInput) as caught:
        act()
    assert caught.value.exit_code == 2
    return [str(fault) for fault in caught.value.faults]


def fault_of(act: Any) -> str:
    (fault,) = faults_of(act)
    return fault


# --- what product is -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{{ product.key }}", "MUG-01"),
        ("{{ product.title }}", "Fjörd Mug"),
        ("{{ product['title'] }}", "Fjörd Mug"),
        ("{{ product.price }}", "24.90"),
        ("{{ product.image }}", "mug.jpg"),
        ("{{ product.images|length }}: {{ product.images[1] }}", "2: back.jpg"),
        ('{{ product.row["Glaze Colour"] }}', "storm blue"),
        ("{% for column in product.row %}{{ column }};{% endfor %}", "Product Name;Glaze Colour;"),
        ("{{ 'yes' if 'Glaze Colour' in product.row else 'no' }}", "yes"),
        ("{{ product.title.upper() }} {{ product.tags.split('|')|first }}", "FJÖRD MUG blue"),
    ],
)
def test_a_product_is_its_fields(say, text, shown):
    assert say(text) == shown


def test_a_locale_says_its_own_words_and_keeps_the_rest(say):
    text = "{{ product.title }}, {{ product.description|plain }}"
    assert say(text, product=words(locale="de-AT")) == "Fjörd-Becher, Warm."
    assert say(text, product=words(locale="fr")) == "Fjörd Mug, Warm."


def test_a_blank_cell_is_empty_and_false(say):
    assert say("[{{ product.brand }}]{% if product.brand %} by it{% endif %}") == "[]"
    assert say("{{ product.brand|default('our own') }}") == "our own"
    assert say("{{ product.brand|default('our own', false) }}") == ""


@pytest.mark.parametrize(
    "text",
    ["{{ product.brnad }}", "{% if product.brnad %}{% endif %}", "{{ product.brnad ~ 'x' }}"],
)
def test_an_unknown_field_is_an_error_that_names_the_nearest(say, text):
    assert fault_of(lambda: say(text)) == (
        "prompt text: product has no field 'brnad'; did you mean 'brand'?"
        " known here: brand, description, image, images, key, price, row, tags, title"
    )


def test_an_original_column_is_pointed_out(say):
    assert fault_of(lambda: say("{{ product.glaze_color }}")) == (
        "prompt text: product has no field 'glaze_color';"
        ' did you mean product.row["Glaze Colour"]?'
    )


@pytest.mark.parametrize("word", ["items", "keys", "values", "get", "label", "values_by_name"])
def test_a_method_is_never_found_where_a_field_is_asked_for(say, word):
    assert f"product has no field '{word}'" in fault_of(lambda: say(f"{{{{ product.{word} }}}}"))
    in_row = fault_of(lambda: say(f"{{{{ product.row.{word} }}}}"))
    assert f"product.row has no field '{word}'" in in_row
    in_dict = fault_of(lambda: say(f"{{{{ box.{word} }}}}", box={"size": 3}))
    assert f"there is no '{word}'" in in_dict


def test_a_column_that_is_called_like_a_method_is_data(say):
    product = Product(key="k", title="t", fields={"items": "six cups", "title": "t"}, row={})
    assert say("{{ product.items }}", product=words(product)) == "six cups"


def test_the_words_of_a_product_are_never_a_template(say):
    product = Product(key="k", title="{{ 7 * 7 }}{% include 'x' %}", fields={}, row={})
    assert say("{{ product.title }}", product=words(product)) == "{{ 7 * 7 }}{% include 'x' %}"


# --- what is printed -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{{ nothing }}", "an empty value (null) cannot be printed"),
        ("{{ nan }}", "nan (no number) cannot be printed"),
        ("{{ inf }}", "inf (no number) cannot be printed"),
        ("{{ product }}", "a whole set of fields cannot be printed"),
        ("{{ product.images }}", "a list cannot be printed"),
        ("{{ product.title.upper }}", "a method or macro cannot be printed ('upper')"),
        ("{{ season.title }}", "a method or macro cannot be printed ('title')"),
        ("{{ range }}", "a method or macro cannot be printed"),
        ("{% macro m() %}{% endmacro %}{{ m }}", "a method or macro cannot be printed ('m')"),
        ("{{ 'x' ~ nothing }}", "an empty value (null) cannot be printed"),
        ("{{ season|join }}", "join needs a list, this is text; make it one: |split"),
        ("{% for c in season %}{% endfor %}", "a loop needs a list, this is text"),
        ("{{ season + 1 }}", "'+' is not for text and a number"),
        ("{{ 1 < season }}", "text and numbers cannot be compared"),
        ("{{ 1 / 0 }}", "this divides by zero"),
    ],
)
def test_what_a_prompt_cannot_say_is_an_error_in_words(say, text, found):
    variables = {"nothing": None, "nan": float("nan"), "inf": float("inf")}
    assert found in fault_of(lambda: say(text, **variables))


@pytest.mark.parametrize("odd", [b"bytes", {1, 2}, object(), len, Decimal(1), [b"x"], {"a": print}])
def test_only_text_numbers_and_lists_of_them_come_in(say, odd):
    assert "the variable 'odd' holds a " in fault_of(lambda: say("hello", odd=odd))


@pytest.mark.parametrize("long", ["x" * 200_001, ["x" * 150_000, "y" * 60_000]])
def test_a_variable_has_a_bounded_length(say, long):
    assert "characters (at most 200,000)" in fault_of(lambda: say("hello", long=long))


def test_the_text_is_tidy(say):
    text = "  \n One \t\n\n\n{% if season %}\n   two\n{% endif %}\n \n\n\nthree\x00\x07\n\n"
    assert say(text) == "One\n\ntwo\n\nthree"


def test_spaces_inside_a_line_stay(say):
    assert say("{{ name }}", name="a  b.jpg") == "a  b.jpg"


def test_an_empty_text_is_an_error_where_one_is_required(folder):
    template = write(folder, empty="{# nothing #}\n").compile(file="empty.j2")
    assert template.render({}) == ""
    assert fault_of(lambda: template.render({}, required=True)) == (
        "templates/empty.j2: renders to nothing; write a prompt"
    )


def test_half_a_character_is_refused(say):
    assert "half a character" in fault_of(lambda: say("{{ '\\ud800' }}"))


# --- places --------------------------------------------------------------------------------------


def test_an_undefined_name_is_told_with_template_line_and_nearest(folder):
    template = write(folder, lifestyle="{{ product.title }}\n\n{{ seasn }}").compile(
        file="lifestyle.j2"
    )
    assert fault_of(lambda: template.render(known())) == (
        "templates/lifestyle.j2:3: 'seasn' is not defined;"
        " did you mean 'season'? known here: aspect_ratio, product, season"
    )


def test_an_inline_text_is_told_with_its_place_and_line(folder):
    template = Templates(folder).compile(text="one\n{{ seasn }}", place="campaigns/x.yaml:12:9")
    assert "campaigns/x.yaml:12:9, line 2: 'seasn' is not" in fault_of(
        lambda: template.render(known())
    )


def test_a_fault_in_an_included_file_names_that_file(folder):
    templates = write(folder, main="a\n{% include 'part.j2' %}", part="b\n\n{{ x.y }}")
    assert fault_of(lambda: templates.compile(file="main.j2").render({})).startswith(
        "templates/part.j2:3: 'x' is not defined"
    )


def test_a_fault_in_a_macro_names_the_macros_line(folder):
    templates = write(
        folder,
        main="{% from 'macros.j2' import tell with context %}\n\n{{ tell(1) }}",
        macros="{% macro tell(x) %}\n{{ x }}\n{{ y }}\n{% endmacro %}",
    )
    assert fault_of(lambda: templates.compile(file="main.j2").render({})).startswith(
        "templates/macros.j2:3: 'y' is not defined"
    )


def test_a_name_that_an_imported_macro_cannot_see_is_explained(folder):
    templates = write(
        folder,
        main="{% from 'macros.j2' import tell %}{{ tell() }}",
        macros="{% macro tell() %}{{ season }}{% endmacro %}",
    )
    assert fault_of(lambda: templates.compile(file="main.j2").render(known())) == (
        "templates/macros.j2:1: 'season' is not known inside a template that is imported;"
        " write {% import … with context %}"
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a\n{{ x y }}", "line 2: found 'y' where }} should be"),
        ("\n\n{% if x %}\n", "'if' is never closed; write {% endif %}"),
        ("\n{% for a in b %}{% endif %}\n", "'endif' does not fit: 'for' is open; write {% endfor"),
        ("{% endfor %}", "'endfor' does not fit here: nothing is open"),
        ("{% incldue 'x' %}", "there is no tag 'incldue'; did you mean 'include'?"),
        ("{% for %}", "found %} where a name or a value should be"),
        ("{{ x|shroten(3) }}", "there is no filter 'shroten'; did you mean 'shorten'?"),
        ("{{ x is defned }}", "there is no test 'defned'; did you mean 'defined'?"),
        ("{{ x|shorten }}", "'shorten' cannot take these values; write it as shorten(n"),
        ("{{ x|currency(kode='EUR') }}", "'currency' cannot take these values"),
    ],
)
def test_a_mistake_in_the_syntax_is_told_in_plain_words(folder, text, fault):
    assert fault in fault_of(lambda: Templates(folder).compile(text=text, place="here"))


def test_all_problems_of_a_template_and_its_parts_are_told_at_once(folder):
    templates = write(
        folder,
        main="{{ a|nope }}\n{{ b|neither }}",
        outer="{% include 'main.j2' %}\n{% include 'gone.j2' %}",
    )
    told = faults_of(lambda: templates.compile(file="outer.j2"))
    assert [re.split(r"[;:] ", fault)[0] for fault in told] == [
        "templates/main.j2:1",
        "templates/main.j2:2",
        "templates/outer.j2:2",
    ]


def test_a_missing_template_is_told_where_it_is_named(folder):
    templates = write(folder, lifestyle="x")
    assert fault_of(
        lambda: templates.compile(file="lifestile.j2", place="campaigns/x.yaml:4:9")
    ) == (
        "campaigns/x.yaml:4:9: no template 'lifestile.j2' in templates/;"
        " did you mean 'lifestyle.j2'? there are: lifestyle.j2"
    )


# --- names ---------------------------------------------------------------------------------------


def test_names_say_what_matters_those_of_the_parts_too(folder):
    templates = write(
        folder,
        main="{% include 'part.j2' %}{% set x = season %}{{ x }}{{ product.title }}",
        part="{{ aspect_ratio }}{{ product.price }}{% for i in range(2) %}{{ i }}{% endfor %}",
    )
    template = templates.compile(file="main.j2")
    assert template.names == {"season", "product", "aspect_ratio"}
    assert template.product_fields == {"title", "price"}


def test_product_fields_are_unknown_where_the_product_is_used_as_a_whole(folder):
    assert Templates(folder).compile(text="{% set p = product %}").product_fields is None


# --- attacks -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{{ ''.__class__ }}", "text has no '__class__'"),
        ("{{ ''['__class__'] }}", "text has no '__class__'"),
        ("{{ [].__class__.__mro__ }}", "a list has no '__class__'"),
        ("{{ product.__class__ }}", "product has no field '__class__'"),
        ("{{ product.__init__.__globals__ }}", "product has no field '__init__'"),
        ("{{ season.encode }}", "text has no 'encode'"),
        ("{{ '{0.__class__}'.format(season) }}", "text has no 'format'"),
        ("{{ '{x}'.format_map({'x': 1}) }}", "text has no 'format_map'"),
        ("{{ '%999999999d'|format(1) }}", "there is no filter 'format'"),
        ("{{ '%999999999d' % 1 }}", "'%' is not for text and a number"),
        ("{{ season|attr('__class__') }}", "there is no filter 'attr'"),
        ("{{ [season]|map(attribute='__class__')|list }}", "'map' cannot take these values"),
        ("{{ [season]|map('attr', '__class__')|list }}", "no filter 'attr'"),
        ("{% macro m() %}{% endmacro %}{{ m.__globals__ }}", "has no '__globals__'"),
        ("{% macro m() %}{% endmacro %}{{ m._func }}", "has no '_func'"),
        ("{% for x in [1] %}{{ loop._iterator }}{% endfor %}", "has no '_iterator'"),
        ("{{ self._TemplateReference__context }}", "'self' is not available"),
        ("{{ undefined_name.__class__ }}", "'undefined_name' is not defined"),
        ("{{ cycler('a') }}", "'cycler' is not defined"),
        ("{{ joiner() }}", "'joiner' is not defined"),
        ("{{ namespace(a=1) }}", "'namespace' is not defined"),
        ("{% set season.a = 1 %}", "`set` of a field"),
        ("{{ lipsum(100000) }}", "'lipsum' is not defined"),
        ("{{ dict(a=1) }}", "'dict' is not defined"),
        ("{{ season|xmlattr }}", "there is no filter 'xmlattr'"),
        ("{{ season|tojson }}", "there is no filter 'tojson'"),
        ("{{ season|safe }}", "there is no filter 'safe'"),
        ("{% autoescape true %}{% endautoescape %}", "`autoescape` is not available"),
        ("{{ season() }}", "text cannot be called"),
        ("{% macro m() %}{{ varargs }}{% endmacro %}", "'varargs' is not available"),
        ("{{ range(*[1, 2]) }}", "`*` and `**` in brackets"),
    ],
)
def test_no_trick_reaches_python(say, text, found):
    assert found in fault_of(lambda: say(text))


DOUBLINGS = "{% set x = 'ab' %}" + 60 * "{% set x = x ~ x %}" + "{{ x|length }}"
SUMS = "{% set x = 'ab' %}" + 60 * "{% set x = x + x %}" + "{{ x|length }}"
LISTS = "{% set x = [1] %}" + 60 * "{% set x = x + x %}" + "{{ x|length }}"
NESTED = "{% set x = [1] %}" + 60 * "{% set x = [x, x] %}" + "{{ x == [x] }}"
TUPLES = "{% set x = (1, season) %}" + 60 * "{% set x = (x, x) %}" + "{{ {x: 1}|length }}"
REPLACED = "{% set x = 'aa' %}" + 60 * "{% set x = x|replace('a', 'aa') %}"
METHODS = "{% set x = 'aa' %}" + 60 * "{% set x = x.replace('a', 'aa') %}"
JOINED = "{% set x = 'ab' %}" + 60 * "{% set x = [x, x]|join %}"
BLOCKS = "{% set x = 'ab' %}" + 60 * "{% set x %}{{ x }}{{ x }}{% endset %}"
POWERS = "{% set x = 10 %}" + 60 * "{% set x = x * x %}"
LOOP = "{{% for a{0} in range(1000) %}}"
LOOPS = "".join(LOOP.format(i) for i in range(6)) + 6 * "{% endfor %}"
EMPTY_LOOPS = (
    "{% for a in range(1000) %}{% for b in range(1000) if b > 2000 and season == 'x' %}"
    "{% endfor %}{% endfor %}"
)
COMPARED = (
    "{% for a in range(1000) %}{% for b in range(40) %}"
    + 2 * "{% if season == product.title %}{% endif %}"
    + "{% endfor %}{% endfor %}"
)
GROWN = (
    "{% set x = '" + 400 * "a" + "' %}{% set y = '" + 200 * "b" + "' %}"
    "{% for a in range(100) %}{% set z = x|replace('a', y) %}{% endfor %}"
)
SEARCHED = "{% for a in range(1000) %}{% if 'aab' in long %}{% endif %}{% endfor %}"
WRITTEN = (
    "{% macro m() %}" + 5000 * "x" + "{% endmacro %}{% for a in range(900) %}{{ m() }}{% endfor %}"
)
CAUGHT = "{% set x %}{% for a in range(1000) %}" + 3000 * "x" + "{% endfor %}{% endset %}"
MACROS = "".join(
    f"{{% macro m{i}() %}}{{{{ m{i + 1}() }}}}{{{{ m{i + 1}() }}}}{{% endmacro %}}"
    for i in range(35)
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{{ 'x' * 1000000000 }}", "'*' is not for text and a number"),
        ("{{ [1] * 1000000000 }}", "'*' is not for a list and a number"),
        ("{{ 9 ** 9 ** 9 }}", "`**` is not available"),
        ("{{ 10000000000000000000 }}", "this number is too large"),
        (f"{{{{ {'9' * 5000} }}}}", "a number that is too large"),
        (POWERS, "a number grows beyond 1e+18"),
        (DOUBLINGS, "the text grows beyond 200,000 characters"),
        (SUMS, "the text grows beyond 200,000 characters"),
        (JOINED, "the text grows beyond 200,000 characters"),
        (REPLACED, "the text grows beyond 200,000 characters"),
        (METHODS, "the text grows beyond 200,000 characters"),
        (BLOCKS, "this does too much work"),
        (LISTS, "a list grows beyond 2,000 entries"),
        (NESTED, "a list grows beyond 2,000 entries"),
        (TUPLES, "a list grows beyond 2,000 entries"),
        (LOOPS, "this does too much work"),
        (EMPTY_LOOPS, "this does too much work"),
        (COMPARED, "this does too much work"),
        (GROWN, "this does too much work"),
        (SEARCHED, "this does too much work"),
        (WRITTEN, "this does too much work"),
        (CAUGHT, "this does too much work"),
        (MACROS + "{% macro m35() %}{% endmacro %}{{ m0() }}", "this does too much work"),
        ("{{ range(1000000000)|length }}", "a range has at most 1,000 numbers"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "macros call one another more than 40"),
        (
            "{% macro m() %}{% call m() %}{{ caller() }}{% endcall %}{% endmacro %}{{ m() }}",
            "macros call one another more than 40",
        ),
        ("{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}", "a recursive loop"),
        ("{{ " + "(" * 3000 + ")" * 3000 + " }}", "nested too deep"),
        ("{{ " + "not " * 90 + "1 }}", "nested more than 40 deep"),
        ("{{ x" + ".a" * 300 + " }}", "nested more than 40 deep"),
        (30 * "{% for a in [1] %}" + 30 * "{% endfor %}", "nested too deep"),
        ("{{ 'x'.ljust(1000000000) }}", "text has no 'ljust'"),
        ("{{ 'x'.zfill(1000000000) }}", "text has no 'zfill'"),
        ("{{ '\t'.expandtabs(1000000000) }}", "text has no 'expandtabs'"),
        ("{{ 'x'|center(1000000000) }}", "there is no filter 'center'"),
        ("{{ 'x'|indent(1000000000) }}", "there is no filter 'indent'"),
        ("{{ [1]|batch(1000000000, 0)|list }}", "there is no filter 'batch'"),
        ("{{ [1]|slice(1000000000)|list }}", "there is no filter 'slice'"),
        ("{{ 1|round(1000000000) }}", "round needs a whole number from 0 to 6"),
        ("x" * 100_001, "at most 100,000 bytes"),
        (2_000 * "{{ season }}{{ 1 }} ", "a template has at most 5,000 parts"),
    ],
)
def test_no_template_runs_away(say, text, found):
    assert found in fault_of(lambda: say(text, long="a" * 150_000))


def test_a_long_text_is_refused_as_a_prompt(say):
    fault = fault_of(lambda: say("{% for a in range(500) %}" + "x" * 50 + "{% endfor %}"))
    assert fault == (
        "prompt text: renders to 25,000 characters (at most 20,000);"
        " shorten what it prints: |shorten(400)"
    )


def test_one_rendering_does_not_pay_for_another(folder):
    template = Templates(folder).compile(
        text="{% for a in range(900) %}{% for b in range(90) %}{% endfor %}{% endfor %}ok"
    )
    assert {template.render({}) for _ in range(12)} == {"ok"}


@pytest.mark.parametrize(
    "name",
    ["../secret.j2", "/etc/hostname", "part/../../secret.j2", "..\\\\secret.j2", "outside.j2", "."],
)
@pytest.mark.parametrize(
    "tag", ["{%% include '%s' %%}", "{%% extends '%s' %%}", "{%% import '%s' as x %%}"]
)
def test_nothing_outside_the_folder_is_read(folder, name, tag):
    secret = folder.parent / "secret.j2"
    secret.write_text("secret words", encoding="utf-8")
    (folder / "part").mkdir()
    (folder / "outside.j2").symlink_to(secret)
    wanted = re.compile(r"leads out of templates/|no template '\.'")
    assert wanted.search(fault_of(lambda: Templates(folder).compile(text=tag % name)))
    if "\\" not in name:
        assert wanted.search(fault_of(lambda: Templates(folder).compile(file=name)))


def test_ignore_missing_does_not_hide_what_is_outside(folder):
    (folder.parent / "secret.j2").write_text("secret words", encoding="utf-8")
    text = "{% include '../secret.j2' ignore missing %}"
    assert "leads out of" in fault_of(lambda: Templates(folder).compile(text=text))
    assert (
        Templates(folder).compile(text="a{% include 'gone.j2' ignore missing %}").render({}) == "a"
    )


def test_a_link_within_the_folder_is_fine(folder):
    (folder / "real.j2").write_text("words", encoding="utf-8")
    (folder / "link.j2").symlink_to(folder / "real.j2")
    assert Templates(folder).compile(file="link.j2").render({}) == "words"


def test_data_cannot_choose_a_template(folder):
    templates = write(folder, part="x")
    text = "{% include product.title %}"
    assert "needs a template's name written out" in fault_of(lambda: templates.compile(text=text))


def test_templates_that_include_themselves_are_refused(folder):
    templates = write(folder, a="{% include 'b.j2' %}", b="\n{% include 'a.j2' %}")
    assert fault_of(lambda: templates.compile(file="a.j2")) == (
        "templates/b.j2:2: a template includes itself: a.j2 > b.j2 > a.j2"
    )


def test_includes_that_double_at_each_level_are_stopped(folder):
    for level in range(14):
        (folder / f"l{level}.j2").write_text(2 * f"{{% include 'l{level + 1}.j2' %}}", "utf-8")
    (folder / "l14.j2").write_text("x", "utf-8")
    template = Templates(folder).compile(file="l0.j2")
    assert "this does too much work" in fault_of(lambda: template.render({}))


def test_a_file_that_is_no_utf_8_or_too_large_is_told(folder):
    (folder / "old.j2").write_bytes("Frühling".encode("cp1252"))
    (folder / "big.j2").write_bytes(b"x" * 100_001)
    templates = Templates(folder)
    assert "'old.j2' is not UTF-8 (byte 2); save it as UTF-8" in fault_of(
        lambda: templates.compile(file="old.j2")
    )
    assert "'big.j2' is too large" in fault_of(lambda: templates.compile(file="big.j2"))


FRAGMENTS = st.sampled_from(
    """{{ }} {% %} {# #} {%- -%} if for in set macro call include block raw endraw endif endfor
    endset endmacro product season . .title ['x'] ( ) [ ] , | : ~ + - * / // ** % == 'a' "b" 1
    99999999 upper shorten(3) listing currency('EUR') default('x') range(9) loop.index is defined
    not else \\ \ud800 é 0x 1e999""".split()  # noqa: SIM905
)


@settings(max_examples=400)
@given(st.one_of(st.text(max_size=80), st.lists(FRAGMENTS, max_size=25).map(" ".join)))
def test_any_text_is_a_prompt_or_bad_input(text):
    shown, faults = "", (Fault("", "this is a prompt"),)
    try:
        shown = Templates(REPOSITORY / "templates").compile(text=text).render(known())
    except BadInput as error:
        faults = error.faults
    assert faults
    assert all(fault.found for fault in faults)
    assert len(shown) <= 20_000
    assert shown == shown.strip()
    assert "<built-in" not in shown
    assert "<bound method" not in shown


# --- filters -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<p>Warm <b>oak</b></p>", "Warm oak"),
        ("<h2>Care</h2><p>At 30&deg;.</p><li>Oak</li><li>Ash</li>", "Care. At 30°. Oak. Ash"),
        ("&lt;p&gt;Twice &amp;amp; escaped&lt;/p&gt;", "Twice & escaped"),
        ("a<!-- <b>no</b> --> b<script>alert('<p>')</script> c<style>p{}</style>", "a b c"),
        ("## Head\n\n- **oak**\n- _ash_ `elm`\n\n[more](a.html)", "Head. oak. ash elm. more"),
        ("wrapped\nlines are\r\none sentence", "wrapped lines are one sentence"),
        ("5 < 7, 8 > 2, snake_case_name, 2 * 3 * 4", "5 < 7, 8 > 2, snake_case_name, 2 * 3 * 4"),
        ("soft\u00adhyphen, zero\u200bwidth,\u00a0space", "softhyphen, zerowidth, space"),
        ("<p>open <b>and never closed <", "open and never closed <"),
        ("", ""),
    ],
)  # fmt: skip
def test_plain_gives_one_line_without_markup(say, text, shown):
    assert say("{{ text|plain }}", text=text) == shown
    assert say("{{ text|plain|plain }}", text=text) == shown


@pytest.mark.parametrize(
    ("n", "shown"),
    [
        (40, "A large, blue stoneware mug"),
        (27, "A large, blue stoneware mug"),
        (26, "A large, blue stoneware…"),
        (9, "A large…"),
        (10, "A large…"),
        (3, "A…"),
        (1, "A"),
    ],
)
def test_shorten_cuts_between_words(say, n, shown):
    assert say("{{ text|shorten(n) }}", text="A large, blue stoneware mug", n=n) == shown
    assert len(shown) <= n


def test_shorten_cuts_a_single_long_word(say):
    assert say("{{ 'Donaudampfschiff'|shorten(6) }}") == "Donau…"


@given(st.text(max_size=200), st.integers(1, 60))
def test_shorten_never_gives_more_than_it_may(text, n):
    assert len(filters.FILTERS["shorten"](text, n)) <= n


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("made in Porto", "Made in Porto."),
        ("Made in Porto.", "Made in Porto."),
        ("Made in Porto...", "Made in Porto."),
        ("really?", "Really?"),
        ("BLUE STONEWARE MUG", "Blue stoneware mug."),
        ("USB", "USB."),
        ("iPhone case", "IPhone case."),
        ("", ""),
        (" . ", ""),
    ],
)
def test_sentence_has_a_capital_and_one_stop(say, text, shown):
    assert say("{{ text|sentence }}", text=text) == shown


@pytest.mark.parametrize(
    ("value", "conj", "shown"),
    [
        (["oak", "ash", "elm"], "and", "oak, ash and elm"),
        ("oak|ash", "or", "oak or ash"),
        ("oak, ash , ,elm", "und", "oak, ash und elm"),
        ("oak, dark|ash", "and", "oak, dark and ash"),
        (["oak"], "and", "oak"),
        ([], "and", ""),
        ("", "and", ""),
        ([1, 2.5], "and", "1 and 2.5"),
        (["a", "b", "c"], "", "a, b, c"),
    ],
)
def test_listing_joins_as_people_do(say, value, conj, shown):
    assert say("{{ value|listing(conj) }}", value=value, conj=conj) == shown


@pytest.mark.parametrize(
    ("amount", "code", "locale", "shown"),
    [
        ("24.90", "EUR", "de", "24,90 €"),
        ("24.90", "EUR", "en", "€24.90"),
        ("24.9", "EUR", "fr-FR", "24,90 €"),
        ("1299", "USD", "en", "$1,299.00"),
        ("1,299.00", "USD", "en-US", "$1,299.00"),
        ("1.299,00", "EUR", "de", "1.299,00 €"),
        ("24,90", "EUR", "de_AT", "€ 24,90"),
        ("1299.5", "CHF", "de-CH", "CHF 1’299.50"),
        ("1299", "CHF", "en", "CHF 1,299.00"),
        ("1999.00", "JPY", "ja", "¥1,999"),
        ("1.250", "KWD", "en", "KWD 1.250"),
        ("0.5", "OMR", "en", "OMR 0.500"),
        ("24.9000", "SEK", "sv", "24,90 kr"),
        ("24.90 EUR", "EUR", "de", "24,90 €"),
        ("24.90 EUR", "", "de", "24,90 €"),
        ("5", "AUD", "en", "A$5.00"),
        ("5", "AUD", "en-AU", "$5.00"),
        ("5", "brl", "pt-BR", "R$ 5,00"),
        ("-3.50", "GBP", "en", "-£3.50"),
        (19.919999999999998, "EUR", "en", "€19.92"),
        (24.9, "JPY", "en", "¥25"),
        (7, "PLN", "pl", "7,00 zł"),
    ],
)
def test_currency_spells_an_amount(say, amount, code, locale, shown):
    text = "{{ amount|currency(code, locale) }}"
    assert say(text, amount=amount, code=code, locale=locale) == shown


@pytest.mark.parametrize(
    ("amount", "code", "locale", "found"),
    [
        ("on request", "EUR", "en", "'on request' is not an amount"),
        ("", "EUR", "en", "'' is not an amount"),
        ("12.5.3", "EUR", "en", "'12.5.3' is not an amount"),
        ("1.299", "EUR", "de", "'1.299' has more decimals than EUR has (2)"),
        ("24.90", "JPY", "ja", "'24.90' has more decimals than JPY has (0)"),
        ("24.90", "EURO", "en", "'EURO' is no currency code (ISO 4217); did you mean 'EUR'?"),
        ("24.90", "", "en", "'24.90' names no currency"),
        ("24.90 USD", "EUR", "en", "'24.90 USD' is USD, not EUR"),
        ("24.90", "EUR", "xx", "no spelling of amounts is known for the locale 'xx'"),
        (float("nan"), "EUR", "en", "nan is not an amount"),
        (None, "EUR", "en", "an empty value (null) cannot be printed"),
    ],
)
def test_currency_refuses_what_is_not_an_amount(say, amount, code, locale, found):
    text = "{{ amount|currency(code, locale) }}"
    variables = {"amount": amount, "code": code, "locale": locale}
    assert found in fault_of(lambda: say(text, **variables))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{{ 'Fjörd Straße & Co. №5'|slug }}", "fjord-strasse-co-no5"),
        ("{{ '茶碗 Blue'|slug }}", "茶碗-blue"),
        ("{{ nope|default('x') }}{{ none|default('y') }}{{ 0|default('z') }}", "xy0"),
        ("{{ 0|default('z', true) }}", "z"),
        ("{{ product.nope|d('x') }}", "x"),
        ("{{ []|first|default('none') }}", "none"),
        ("{{ 'o\\'brien mug'|title }}", "O'brien Mug"),
        ("{{ ['b', 'A', 'a', 'c']|unique|sort|join(',') }}", "A,b,c"),
        ("{{ [3, 1, 2]|sort(reverse=true)|join }}", "321"),
        ("{{ 'a|b'|split|map('upper')|listing }}", "A and B"),
        ("{{ [1, 2, 3]|select('odd')|join }}{{ ['', 'x']|reject|join('-') }}", "13"),
        ("{{ {'a': 1}|items|first|join('=') }}", "a=1"),
        ("{{ product.price|float * 2 }} {{ '1,299'|int }} {{ 2.345|round(2) }}", "49.8 1299 2.35"),
        ("{{ [1, 5, 2]|max }}{{ ['b', 'a']|min }}{{ -3|abs }}", "5a3"),
        ("{{ season[0:3] }}{{ product.images[1:]|join }}", "sprback.jpg"),
        ("{{ ('yes' if 'spr' in season) }}{{ 'no' if 1 > 2 }}", "yes"),
        ("{% for a in [7, 8] %}{{ loop.cycle(1, 2) }}{{ loop.index }}{% endfor %}", "1122"),
    ],
)  # fmt: skip
def test_other_filters_and_expressions(say, text, shown):
    assert say(text, none=None) == shown


@pytest.mark.parametrize("text", ["{{ 'dear'|float }}", "{{ 'dear'|int }}", "{{ ''|round }}"])
def test_text_that_is_no_number_is_not_taken_for_zero(say, text):
    assert "is not a number" in fault_of(lambda: say(text))


EXAMPLES = re.findall(r"\| `([^`]+)` → `([^`]*)` \|$", filters.__doc__ or "", re.MULTILINE)


@pytest.mark.parametrize(("text", "shown"), EXAMPLES)
def test_the_examples_of_the_table_are_true(say, text, shown):
    assert say("{{ " + text.replace("\\|", "|") + " }}") == shown


def test_the_table_names_every_filter():
    first_column = " ".join(re.findall(r"^\| (`.*?) \|", filters.__doc__ or "", re.MULTILINE))
    told = set(re.findall(r"`([a-z]+)", first_column))
    assert len(EXAMPLES) == 15
    assert told | {"count"} == set(filters.FILTERS)


# --- the templates that ship ---------------------------------------------------------------------

SHIPPED = sorted(path.name for path in (REPOSITORY / "templates").glob("[!_]*.j2"))
OPTIONAL = {
    "season": "autumn",
    "mood": "calm",
    "setting": "a kitchen",
    "props": "linen, bread",
    "palette": ["#0F4C81", "sand"],
    "light": "low sun",
    "people": "a pair of hands",
    "backdrop": "sage",
    "extra": "one thing more",
}


def shipped(name: str) -> Template:
    return Templates(REPOSITORY / "templates").compile(file=name)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_template_needs_only_a_title(name):
    bare = Product(key="B", title="Bowl", fields={"title": "Bowl"}, row={"title": "Bowl"})
    text = shipped(name).render({"product": words(bare)}, required=True)
    assert "Bowl" in text
    assert "reference image" not in text
    assert not re.search(r"\{|\}|None|[ ,;:]\.|\.\.|  ", text)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_template_uses_every_word_that_its_header_knows(name):
    template = shipped(name)
    header = (REPOSITORY / "templates" / name).read_text("utf-8").split("#}")[0]
    told = {word for word in OPTIONAL if re.search(rf"^     {word} ", header, re.MULTILINE)}
    assert template.names == told | {"product", "aspect_ratio"}
    fields = {
        "title": "Bowl",
        "material": "ash wood",
        "color": "natural",
        "category": "kitchen",
        "description": "<p>Turned by hand.</p>",
    }
    full = Product(key="B", title="Bowl", fields=fields, row=fields, images=("bowl.jpg",))
    text = template.render({"product": words(full), "aspect_ratio": "4:5", **OPTIONAL})
    for said in ("exactly as in the reference image", "ash wood", "natural", "Turned by hand."):
        assert said in text
    for word in told:
        value = OPTIONAL[word]
        assert (value if isinstance(value, str) else value[0]).split(",")[0].lower() in text.lower()
    assert not re.search(r"\{|\}|<|None|[ ,;:]\.|\.\.|  ", text)


@pytest.mark.parametrize("ratio", ["1:1", "4:5", "9:16", "16:9", "3:1"])
@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_template_fits_the_shortest_prompt_that_any_host_takes(name, ratio):
    from flows import providers

    hosts = [providers.host(host).capabilities for host in providers.names()]
    most = min(can.prompt_chars for can in hosts if can.prompt_chars is not None)
    fields = {
        "title": "Lagoon Glass Bottle with Stopper",
        "material": "glass and stainless steel",
        "color": "storm blue and sea green",
        "category": "kitchen and dining",
        "description": "Softly tinted glass with a round stopper that closes snugly. " * 5,
    }
    full = Product(key="B", title=fields["title"], fields=fields, row=fields, images=("b.jpg",))
    given = {"season": "autumn", "mood": "calm morning light", "setting": "a table by a window"}
    text = shipped(name).render({"product": words(full), "aspect_ratio": ratio, **given})
    assert len(text) <= most


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_template_leaves_room_by_the_ratio(name):
    template = shipped(name)
    said = {
        ratio: template.render({"product": words(), "aspect_ratio": ratio}).partition(" frame, ")[0]
        for ratio in ("1:1", "4:5", "9:16", "16:9", "1.91:1")
    }
    assert {ratio: text.rpartition("\n")[2] for ratio, text in said.items()} == {
        "1:1": "Square",
        "4:5": "Portrait",
        "9:16": "Tall",
        "16:9": "Landscape",
        "1.91:1": "Landscape",
    }


def test_three_templates_ship():
    assert SHIPPED == ["lifestyle.j2", "sale.j2", "studio.j2"]


def test_variables_may_be_any_mapping(folder):
    template = Templates(folder).compile(text="{{ a }}")
    assert template.render(MappingProxyType({"a": 1})) == "1"


# What outputs have in common is rendered once, and the text is the same as if it were not.

APART = {
    "plain": ("{{ a }} {% include '_r.j2' %} end", "[{{ aspect_ratio }} {{ b }}]"),
    "in a branch": ("{% if a %}{% include '_r.j2' %}{% endif %}{{ a }}", "<{{ aspect_ratio }}>"),
    "in a loop": (
        "{% for x in [1, 2] %}{{ x }}{% include '_r.j2' %}{% endfor %}",
        "{{ aspect_ratio }}",
    ),
    "needs the loop's name": (
        "{% for x in [1, 2] %}{% include '_r.j2' %}{% endfor %}",
        "{{ x }}{{ aspect_ratio }}",
    ),
    "needs a name that is set": (
        "{% set c = a ~ '!' %}{% include '_r.j2' %}",
        "{{ c }}{{ aspect_ratio }}",
    ),
    "inside a filter": (
        "{% filter upper %}{% include '_r.j2' %}{% endfilter %}{{ a }}",
        "ratio {{ aspect_ratio }}",
    ),
    "kept in a name": (
        "{% set t %}{% include '_r.j2' %}{% endset %}{{ t|upper }}",
        "x{{ aspect_ratio }}",
    ),
    "uses it beside": ("{{ aspect_ratio }}{% include '_r.j2' %}", "-{{ name }}"),
    "twice, once filtered": (
        "{% include '_r.j2' %}{% filter upper %}{% include '_r.j2' %}{% endfilter %}",
        "r {{ aspect_ratio }}",
    ),
    "through another": ("{% include '_s.j2' %}", "{{ name }}{{ aspect_ratio }}"),
    "through another, filtered": ("{% include '_t.j2' %} {{ a }}", "q {{ aspect_ratio }}"),
}


@pytest.mark.parametrize("case", APART)
def test_rendering_for_many_outputs_says_what_rendering_for_one_says(
    case: str, tmp_path: Path
) -> None:
    whole, part = APART[case]
    (tmp_path / "whole.j2").write_text(whole)
    (tmp_path / "_r.j2").write_text(part)
    (tmp_path / "_s.j2").write_text("{{ b }} {% include '_r.j2' %}")
    (tmp_path / "_t.j2").write_text("{% filter upper %}{% include '_r.j2' %}{% endfilter %}")
    template = Templates(tmp_path).compile(file="whole.j2")
    inline = Templates(tmp_path).compile(text=whole)
    for a in ("one", "", "\0_r.j2\0"):
        brief = {"a": a, "b": "bee", "name": "", "aspect_ratio": ""}
        render, render_inline = template.for_outputs(brief), inline.for_outputs(brief)
        for name, ratio in (("4x5", "4:5"), ("1x1", "1:1"), ("4x5", "4:5")):
            words = {**brief, "name": name, "aspect_ratio": ratio}
            expected = template.render(words)
            assert render(words) == expected
            assert render_inline(words) == expected


def test_a_fault_in_a_part_that_is_rendered_apart_is_told_at_its_own_line(tmp_path: Path) -> None:
    (tmp_path / "whole.j2").write_text("a\n{% include '_r.j2' %}\n")
    (tmp_path / "_r.j2").write_text("fine {{ aspect_ratio }}\n{{ nobody }}\n")
    render = Templates(tmp_path).compile(file="whole.j2").for_outputs({"aspect_ratio": ""})
    with pytest.raises(BadInput) as raised:
        render({"aspect_ratio": "4:5"})
    (fault,) = raised.value.faults
    assert (fault.place, fault.found) == (f"{tmp_path.name}/_r.j2:2", "'nobody' is not defined")


def test_what_is_said_of_one_product_is_not_said_of_the_next(tmp_path: Path) -> None:
    (tmp_path / "whole.j2").write_text("{% include '_p.j2' %}{% include '_r.j2' %}")
    (tmp_path / "_p.j2").write_text("{{ product.title }} ")
    (tmp_path / "_r.j2").write_text("{{ aspect_ratio }}")
    template = Templates(tmp_path).compile(file="whole.j2")
    said = []
    for number in range(3):
        row = {"title": f"Mug {number}"}
        product = product_words(
            Product(key=str(number), title=row["title"], fields=row, row=row),
            locale="",
            image="",
            images=(),
        )
        words = {"product": product, "aspect_ratio": "1:1", "name": "1x1"}
        said.append(template.for_outputs(words)(words))
    assert said == ["Mug 0 1:1", "Mug 1 1:1", "Mug 2 1:1"]
