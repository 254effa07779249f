"""What keeps a campaign's pictures from being handed over in AdCP's shape, before any is bought."""

from __future__ import annotations

from flows.errors import Fault, did_you_mean
from flows.nouns.output import Output
from flows.nouns.shot import Reading, ShotList
from flows.publish.adcp import TAKEN


def adcp_faults(reading: Reading, shots: ShotList) -> list[Fault]:
    """Hold `publish.adcp` against the plan; nothing where the campaign does not ask for it.

    An output whose formats the protocol's images cannot have is a fault: the file would lack it.
    """
    publish = reading.campaign.publish
    wish = publish.adcp_wish
    if wish is None:
        return []
    faults: list[Fault] = []
    if not publish.public_url:
        faults.append(
            Fault(
                _place(reading, "publish.adcp"),
                "adcp.json names pictures by their public address, and there is no `public_url`",
                remedy="write `public_url: https://…` under publish",
            )
        )
    # many shots share a tuple of outputs, and there may be a hundred thousand
    groups = {id(shot.outputs): shot.outputs for shot in shots.shots}
    outputs = dict.fromkeys(output for group in groups.values() for output in group)
    names = list(dict.fromkeys(output.name for output in outputs))
    faults += [
        Fault(
            _place(reading, f"publish.adcp.formats.{name}"),
            f"the campaign has no output '{name}'",
            ", ".join(names),
            did_you_mean(name, names),
        )
        for name in wish.formats
        if name not in names
    ]
    faults += [_refused(reading, one) for one in outputs if set(TAKEN).isdisjoint(one.formats)]
    return faults


def _refused(reading: Reading, output: Output) -> Fault:
    return Fault(
        _place(reading, "publish.adcp"),
        f"AdCP takes no picture of {output.name} ({', '.join(output.formats)})",
        ", ".join(TAKEN),
        f"add `{TAKEN[0]}` to its formats",
    )


def _place(reading: Reading, key: str) -> str:
    """`file:line:column` of the key, or of the nearest parent that has a place."""
    parts = key.split(".")
    while parts:
        if found := reading.places.get(".".join(parts)):
            return found
        parts.pop()
    return f"{reading.spec_path}, {key}"
