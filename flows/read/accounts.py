"""The file that `SHOTLIST_ACCOUNTS` names: what differs from the published limits and prices."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from flows.errors import BadInput, Fault, did_you_mean
from flows.nouns.account_wish import AccountWish

WHAT = "SHOTLIST_ACCOUNTS cannot be used"


def accounts(path: Path, hosts: Collection[str]) -> Mapping[str, AccountWish]:
    """Host to what the file says of it.

    Raises:
        BadInput: it cannot be read, or says something that cannot be; with all faults.

    """
    import yaml
    from pydantic import ValidationError

    try:
        tree = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise BadInput(WHAT, [Fault(str(path), error.strerror or "cannot be read")]) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInput(WHAT, [Fault(str(path), " ".join(str(error).split()))]) from error
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise BadInput(WHAT, [Fault(str(path), "not a mapping of hosts to what differs")])
    faults: list[Fault] = []
    found: dict[str, AccountWish] = {}
    for host, wish in tree.items():
        if host not in hosts:
            near = did_you_mean(str(host), hosts)
            faults.append(Fault(str(path), f"no host '{host}'", ", ".join(sorted(hosts)), near))
            continue
        try:
            found[host] = AccountWish.model_validate({} if wish is None else wish)
        except ValidationError as error:
            for one in error.errors():
                place = ".".join(str(part) for part in (host, *one["loc"]))
                names = AccountWish.model_fields if one["type"] == "extra_forbidden" else ()
                near = did_you_mean(str(one["loc"][-1]), names) if one["loc"] else ""
                faults.append(Fault(f"{path}, {place}", one["msg"], ", ".join(names), near))
    if faults:
        raise BadInput(WHAT, faults)
    return found
